//! What the façade does not do, and the one way it says so.

use tonic::Status;

/// Returns the status of a call or field that has no plumbing.
pub(super) fn unsupported(what: &str) -> Status {
    Status::unimplemented(format!("the façade does not support {what}"))
}

/// Writes methods that answer `UNIMPLEMENTED`, in the form `#[async_trait]` gives to `async fn`: it does
/// not look inside macros.
macro_rules! unsupported_calls {
    ($($name:ident($request:ident) -> $reply:ident;)*) => {$(
        fn $name<'life0, 'async_trait>(
            &'life0 self,
            _request: tonic::Request<qdrant_client::qdrant::$request>,
        ) -> std::pin::Pin<
            Box<
                dyn Future<
                        Output = Result<
                            tonic::Response<qdrant_client::qdrant::$reply>,
                            tonic::Status,
                        >,
                    > + Send
                    + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            Box::pin(async { Err(super::unsupported::unsupported(stringify!($name))) })
        }
    )*};
}

pub(super) use unsupported_calls;
