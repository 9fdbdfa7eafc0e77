//! `kinstall cloud-init`.

use installer::bundle::{
    self, Bundle, BundleError, BundlePlace, KinstallPlace, LARGEST_USER_DATA, UserData,
};
use installer::machine::Problem;
use zeroize::Zeroizing;

use crate::cli::arguments::CloudInit;
use crate::cli::output::{self, Failure, GOOD, Outcome};
use crate::cli::passphrase;

/// Writes a machine's user-data.
pub fn run(arguments: CloudInit) -> Result<Outcome, Failure> {
    let passphrase = arguments.passphrase_file.as_deref();
    let passphrase = passphrase.map(passphrase::read).transpose()?;
    let path = &arguments.bundle;
    let bundle = Bundle::open(path, passphrase.as_ref(), None)?;
    if bundle.manifest.node != arguments.node {
        return Err(BundleError::Other {
            path: path.clone(),
            what: "node",
            is: bundle.manifest.node.clone(),
            wanted: arguments.node,
        }
        .into());
    }
    let kinstall = kinstall(&arguments, &bundle)?;
    let data = UserData {
        manifest: &bundle.manifest,
        digest: &bundle.digest,
        place: place(&arguments, &bundle)?,
        passphrase: arguments.passphrase_path.clone(),
        kinstall,
        bin_dirs: arguments.bin_dir.clone(),
    };
    let text = bundle::user_data(&data);
    warn(&arguments, &bundle, text.len());
    let Some(out) = arguments.out else {
        return Ok(Outcome::fine(text.as_str()));
    };
    bundle::write_secret(&out, text.as_bytes(), arguments.force)?;
    let said = format!(
        "{GOOD}{}{GOOD:#}: {} bytes of user-data for {}\n",
        out.display(),
        text.len(),
        arguments.node
    );
    Ok(Outcome::fine(said))
}

fn place(arguments: &CloudInit, bundle: &Bundle) -> Result<BundlePlace, Failure> {
    if let Some(url) = &arguments.bundle_url {
        return Ok(BundlePlace::Url(url.clone()));
    }
    if let Some(path) = &arguments.bundle_path {
        return Ok(BundlePlace::Path(path.clone()));
    }
    if bundle.manifest.has_programs() {
        return Err(Failure::new(
            format_args!(
                "{} has programs in it, and no user-data is that large",
                bundle.path.display()
            ),
            "pack one of digests alone, kinstall bundle --digests; or name a place for it with --bundle-url",
        ));
    }
    let bytes = std::fs::read(&bundle.path);
    let bytes = bytes.map_err(|error| Problem::io(&bundle.path, &error))?;
    Ok(BundlePlace::Embedded(Zeroizing::new(bytes)))
}

fn kinstall(arguments: &CloudInit, bundle: &Bundle) -> Result<KinstallPlace, Failure> {
    let manifest = &bundle.manifest;
    match &arguments.kinstall_url {
        Some(_)
            if !manifest
                .programs
                .iter()
                .any(|program| program.name == "kinstall") =>
        {
            Err(Failure::new(
                format_args!(
                    "{} does not say which kinstall it is for",
                    bundle.path.display()
                ),
                "leave --kinstall-url out: the machine needs its own",
            ))
        }
        Some(url) => Ok(KinstallPlace::Url(url.clone())),
        None if bundle.is_encrypted() || !manifest.has_programs() => Ok(KinstallPlace::Machine),
        None => Ok(KinstallPlace::Bundle),
    }
}

/// What its owner should think about.
fn warn(arguments: &CloudInit, bundle: &Bundle, size: usize) {
    let node = &bundle.manifest.node;
    let is_open = !bundle.is_encrypted();
    if arguments.embed && is_open {
        output::warn(format_args!(
            "the user-data holds {node}'s keys in the clear: whoever can ask the cloud for it can be {node}; an encrypted \
             bundle or --bundle-url keeps them out"
        ));
    }
    if is_open
        && arguments
            .bundle_url
            .as_ref()
            .is_some_and(bundle::WebAddress::is_open)
    {
        output::warn(format_args!(
            "the bundle is neither encrypted nor fetched by https: who is on the way can read {node}'s keys"
        ));
    }
    if size > LARGEST_USER_DATA {
        output::warn(format_args!(
            "{size} bytes of user-data: Amazon EC2 takes {LARGEST_USER_DATA}, other clouds more; --bundle-url needs few"
        ));
    }
}
