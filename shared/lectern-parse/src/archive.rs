//! ZIP containers, read within the expansion bound and never written to disk.

use std::io::{Cursor, ErrorKind, Read};

use zip::{ZipArchive, result::ZipError};

use crate::{
    error::{Damage, ParseError},
    limits::ParseLimits,
    media_type::MediaType,
};

/// Bytes inflated at a time while an archive is measured.
const MEASURE_BYTES: usize = 64 * 1024;

/// A container whose entries may expand to so much together.
pub(crate) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    media_type: MediaType,
    remaining: u64,
    allowed: u64,
}

impl<'a> Archive<'a> {
    /// Opens a container that claims to be `media_type`.
    pub(crate) fn open(
        bytes: &'a [u8],
        media_type: MediaType,
        limits: &ParseLimits,
    ) -> Result<Self, ParseError> {
        let zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|_| ParseError::malformed(media_type, Damage::Container))?;
        let allowed = limits.max_expanded_bytes;
        Ok(Self { zip, media_type, remaining: allowed, allowed })
    }

    /// Returns the bytes of the entry, `None` when there is none of that name.
    pub(crate) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, ParseError> {
        let (media_type, bomb) = (self.media_type, self.bomb());
        let entry = match self.zip.by_name(name) {
            Ok(entry) => entry,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(refusal(&error, media_type)),
        };
        let mut bytes = Vec::new();
        match entry.take(self.remaining + 1).read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::OutOfMemory => return Err(bomb),
            Err(_) => return Err(ParseError::malformed(media_type, Damage::Container)),
        }
        self.remaining = self.remaining.checked_sub(bytes.len() as u64).ok_or(bomb)?;
        Ok(Some(bytes))
    }

    /// Returns the text of an entry that must be there; invalid UTF-8 is replaced.
    pub(crate) fn read_text(&mut self, name: &str) -> Result<String, ParseError> {
        let bytes = self.read(name)?;
        let bytes =
            bytes.ok_or_else(|| ParseError::malformed(self.media_type, Damage::MissingPart))?;
        Ok(crate::decode::decode(&bytes)
            .unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Inflates everything once, keeping nothing, for libraries that set no bound themselves.
    pub(crate) fn measure(&mut self) -> Result<(), ParseError> {
        let mut buffer = vec![0; MEASURE_BYTES];
        for index in 0..self.zip.len() {
            let (media_type, bomb) = (self.media_type, self.bomb());
            let mut entry =
                match self.zip.by_index(index).map_err(|error| refusal(&error, media_type)) {
                    Ok(entry) => entry,
                    Err(encrypted @ ParseError::Encrypted { .. }) => return Err(encrypted),
                    // An entry nobody may ever ask for; the library says so if it does.
                    Err(_) => continue,
                };
            while let Ok(count @ 1..) = entry.read(&mut buffer) {
                self.remaining =
                    self.remaining.checked_sub(count as u64).ok_or_else(|| bomb.clone())?;
            }
        }
        Ok(())
    }

    fn bomb(&self) -> ParseError {
        ParseError::Expansion { allowed: self.allowed }
    }
}

fn refusal(error: &ZipError, media_type: MediaType) -> ParseError {
    match error {
        ZipError::InvalidPassword | ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            ParseError::Encrypted { media_type: media_type.label().into() }
        }
        _ => ParseError::malformed(media_type, Damage::Container),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    /// Returns a ZIP of the entries.
    pub(crate) fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn expansion_is_counted_over_all_entries() {
        let zip = zip_of(&[("a", &[0; 60]), ("b", &[0; 60])]);
        let limits = ParseLimits { max_expanded_bytes: 100, ..ParseLimits::default() };
        let open = || Archive::open(&zip, MediaType::Epub, &limits).unwrap();
        let mut archive = open();
        assert_eq!(archive.read("a").unwrap().unwrap().len(), 60);
        assert_eq!(archive.read("b"), Err(ParseError::Expansion { allowed: 100 }));
        assert_eq!(open().read("c"), Ok(None));
        assert_eq!(open().measure(), Err(ParseError::Expansion { allowed: 100 }));
        let limits = ParseLimits { max_expanded_bytes: 120, ..ParseLimits::default() };
        assert_eq!(Archive::open(&zip, MediaType::Epub, &limits).unwrap().measure(), Ok(()));
    }
}
