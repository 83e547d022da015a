//! Backups can be encrypted before they leave: in the format of age (<https://age-encryption.org/v1>), which `age --decrypt`
//! reads with the identity alone.
//!
//! Parts, files and checkpoints are; manifests, which have no content, are not, so that a store without the identity still
//! says which backups it has. Names are hashes of what is encrypted: who has a file can see whether it is in the store.

use std::{
    fmt, io,
    io::Write,
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
};

use age::{
    DecryptError, Decryptor, EncryptError, Encryptor, Identity, Recipient, stream::StreamWriter,
    x25519,
};
use bytes::Bytes;
use futures::io::{AsyncRead, AsyncReadExt as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Most identities at once. Two are enough to change one: the new, and the one before it.
pub const MAX_IDENTITIES: usize = 8;
/// Bytes of content between two authentication tags, and of a tag.
const CHUNK_BYTES: u64 = 64 << 10;
const TAG_BYTES: u64 = 16;
const NONCE_BYTES: u64 = 16;
/// Bytes of a header for one recipient: the format's own lines, and a stanza of random length that keeps readers honest.
const HEADER_BYTES: RangeInclusive<u64> = 168..=1024;
/// Bytes of a recipient's hash in names: enough to tell a tenant's recipients apart.
const ENDING_BYTES: usize = 4;
/// Bytes read at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// Encrypts for the first of some identities, and decrypts with any of them.
pub struct Seal {
    identities: Vec<x25519::Identity>,
    recipient: x25519::Recipient,
}

/// Why a text is no identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be one to {MAX_IDENTITIES} lines of `age-keygen`, each `AGE-SECRET-KEY-1…`")]
pub struct NoIdentity;

impl Seal {
    /// Returns what the lines of a file of `age-keygen` make: the first identity encrypts, all decrypt. Empty lines and
    /// comments are passed over.
    ///
    /// # Errors
    /// When there is none, there are more than [`MAX_IDENTITIES`], or a line is none.
    pub fn parse(text: &SecretString) -> Result<Self, NoIdentity> {
        let lines = text.expose_secret().lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let identities: Result<Vec<x25519::Identity>, _> = lines.map(str::parse).collect();
        let identities = identities.map_err(|_| NoIdentity)?;
        let first = identities.first().ok_or(NoIdentity)?;
        let recipient = first.to_public();
        if identities.len() > MAX_IDENTITIES {
            return Err(NoIdentity);
        }
        Ok(Self { identities, recipient })
    }

    /// Returns for whom it encrypts: `age1…`.
    #[must_use]
    pub fn recipient(&self) -> String {
        self.recipient.to_string()
    }

    /// Returns what encrypts for somebody, `None` when none of the identities decrypts that.
    #[must_use]
    pub fn of(&self, recipient: &str) -> Option<Self> {
        let mut recipients = self.identities.iter().map(x25519::Identity::to_public);
        let recipient = recipients.find(|one| one.to_string() == recipient)?;
        Some(Self { identities: self.identities.clone(), recipient })
    }

    /// Returns what names of objects end with: others for another recipient, so that who changes the identity replaces nothing
    /// that older backups need.
    pub(super) fn ending(&self) -> String {
        let digest = Sha256::digest(self.recipient());
        format!(".{}.age", hex::encode(&digest[..ENDING_BYTES]))
    }

    /// Encrypts bytes.
    pub(super) fn seal(&self, bytes: &[u8]) -> io::Result<Bytes> {
        let mut sealing = self.sealing()?;
        sealing.write_all(bytes)?;
        sealing.finish()
    }

    /// Begins to encrypt what comes in pieces.
    pub(super) fn sealing(&self) -> io::Result<Sealing> {
        let recipient: &dyn Recipient = &self.recipient;
        let encryptor = Encryptor::with_recipients(std::iter::once(recipient));
        let encryptor = encryptor.map_err(|error: EncryptError| io::Error::other(error))?;
        let written = Written::default();
        Ok(Sealing { writer: encryptor.wrap_output(written.clone())?, written })
    }

    /// Decrypts bytes.
    pub(super) fn open(&self, sealed: &[u8]) -> Result<Bytes, Unopened> {
        let decryptor = Decryptor::new_buffered(sealed)?;
        let mut bytes = Vec::with_capacity(sealed.len());
        // By name: what decrypts is a reader of both kinds.
        io::Read::read_to_end(&mut decryptor.decrypt(self.identities())?, &mut bytes)?;
        Ok(bytes.into())
    }

    /// Decrypts what arrives and returns the SHA-256 and number of its bytes.
    pub(super) async fn hash<R: AsyncRead + Unpin>(
        &self,
        sealed: R,
    ) -> Result<(String, u64), Unopened> {
        let decryptor = Decryptor::new_async(sealed).await?;
        let mut opened = decryptor.decrypt_async(self.identities())?;
        let (mut buffer, mut digest, mut total) = (vec![0; BUFFER_BYTES], Sha256::new(), 0);
        loop {
            let read = opened.read(&mut buffer).await?;
            if read == 0 {
                return Ok((hex::encode(digest.finalize()), total));
            }
            digest.update(&buffer[..read]);
            total += read as u64;
        }
    }

    fn identities(&self) -> impl Iterator<Item = &dyn Identity> {
        self.identities.iter().map(|identity| identity as &dyn Identity)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Seal").field("recipient", &self.recipient).finish_non_exhaustive()
    }
}

/// Returns how many bytes so many are when they are encrypted: the length of a header is random.
pub(super) fn sealed_sizes(size_bytes: u64) -> RangeInclusive<u64> {
    let chunks = size_bytes.div_ceil(CHUNK_BYTES).max(1);
    let payload = NONCE_BYTES + size_bytes + chunks * TAG_BYTES;
    HEADER_BYTES.start() + payload..=HEADER_BYTES.end() + payload
}

/// Why bytes were not decrypted.
#[derive(Debug, Error)]
pub(super) enum Unopened {
    /// They are damaged, or encrypted for somebody else.
    #[error("it is damaged, or encrypted for another identity: {0}")]
    Damaged(DecryptError),
    /// They did not arrive.
    #[error(transparent)]
    Read(io::Error),
}

impl From<DecryptError> for Unopened {
    fn from(error: DecryptError) -> Self {
        match error {
            DecryptError::Io(error) => error.into(),
            error => Self::Damaged(error),
        }
    }
}

impl From<io::Error> for Unopened {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What the format itself finds wrong; what a store fails with is of other kinds.
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                Self::Damaged(DecryptError::Io(error))
            }
            _ => Self::Read(error),
        }
    }
}

/// Bytes that were encrypted and not taken yet.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Something that is being encrypted.
pub(super) struct Sealing {
    writer: StreamWriter<Written>,
    written: Written,
}

impl Sealing {
    /// Takes the next bytes.
    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)
    }

    /// Returns what is encrypted so far and was not taken.
    pub(super) fn take(&self) -> Bytes {
        self.written.take()
    }

    /// Ends it and returns the rest.
    pub(super) fn finish(self) -> io::Result<Bytes> {
        self.writer.finish()?;
        Ok(self.written.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        Seal::parse(&x25519::Identity::generate().to_string()).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_with_any_of_the_identities_and_no_other() {
        let (old, new) = (x25519::Identity::generate(), x25519::Identity::generate());
        let of = |lines: &[&x25519::Identity]| {
            let lines: Vec<String> =
                lines.iter().map(|one| one.to_string().expose_secret().to_owned()).collect();
            Seal::parse(&format!("# of age-keygen\n\n {}\r\n", lines.join("\n")).into()).unwrap()
        };
        let (before, both, after) = (of(&[&old]), of(&[&new, &old]), of(&[&new]));
        let sealed = before.seal(b"heron").unwrap();
        assert_eq!(both.open(&sealed).unwrap(), "heron");
        assert!(matches!(
            after.open(&sealed),
            Err(Unopened::Damaged(DecryptError::NoMatchingKeys))
        ));
        assert_eq!(both.recipient(), after.recipient());
        assert_eq!(both.of(&before.recipient()).unwrap().ending(), before.ending());
        assert_ne!(both.ending(), before.ending());
        assert!(after.of(&before.recipient()).is_none());
    }

    #[test]
    fn sizes_of_what_is_sealed_are_in_the_range() {
        let seal = seal();
        for size in [0, 1, 65_535, 65_536, 65_537, 200_000] {
            for _ in 0..50 {
                let sealed = seal.seal(&vec![7; size]).unwrap().len() as u64;
                assert!(sealed_sizes(size as u64).contains(&sealed), "{size}: {sealed}");
            }
        }
    }

    #[tokio::test]
    async fn pieces_make_the_same_and_any_changed_byte_is_found() {
        let (seal, bytes) = (seal(), [3; 150_000]);
        let mut sealing = seal.sealing().unwrap();
        let mut sealed = Vec::new();
        for piece in bytes.chunks(40_000) {
            sealing.write_all(piece).unwrap();
            sealed.extend(sealing.take());
        }
        sealed.extend(sealing.finish().unwrap());
        assert_eq!(seal.open(&sealed).unwrap(), &bytes[..]);
        let hash = (hex::encode(Sha256::digest(bytes)), bytes.len() as u64);
        assert_eq!(seal.hash(&sealed[..]).await.unwrap(), hash);

        for place in (0..sealed.len()).step_by(599) {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(matches!(seal.open(&changed), Err(Unopened::Damaged(_))), "{place}");
            assert!(matches!(seal.hash(&changed[..]).await, Err(Unopened::Damaged(_))), "{place}");
            let short = &sealed[..place];
            assert!(matches!(seal.open(short), Err(Unopened::Damaged(_))), "{place}");
            assert!(matches!(seal.hash(short).await, Err(Unopened::Damaged(_))), "{place}");
        }
    }

    #[test]
    fn what_is_no_identity_is_refused_without_saying_it() {
        let key = seal().identities[0].to_string();
        let many = [key.expose_secret(); MAX_IDENTITIES + 1].join("\n");
        let broken = format!("{}x", key.expose_secret());
        for text in ["", "# only this", "age1notsecret", many.as_str(), broken.as_str()] {
            assert!(Seal::parse(&text.to_owned().into()).is_err(), "{text}");
        }
        assert!(!format!("{:?}", seal()).contains("SECRET"));
    }
}
