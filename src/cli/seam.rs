//! The one place where the command meets the parts that are built beside it.

/// Compiles a scenario and returns it as pcapng, or a sentence with the line at fault.
pub(super) fn scenario(_text: &str, name: &str) -> Result<Vec<u8>, String> {
    Err(format!("{name}: scenarios are not built in yet"))
}

/// Every rule, a line each.
pub(super) fn rules_text() -> String {
    String::new()
}

/// Every rule as JSON.
pub(super) fn rules_json() -> String {
    "[]\n".to_owned()
}

/// The ids of all rules.
pub(super) fn rule_ids() -> Vec<String> {
    Vec::new()
}

/// What `explain` prints.
pub(super) fn explain(_id: &str) -> Option<String> {
    None
}

/// The engine's interface, until it stands.
pub(super) mod engine {
    use std::path::PathBuf;

    use crate::policy::Policy;
    use crate::report::Outcome;

    #[derive(Debug)]
    pub(crate) struct Config {
        pub(crate) sources: Vec<PathBuf>,
        pub(crate) lanes: usize,
        pub(crate) mmap: bool,
        pub(crate) hash: bool,
        pub(crate) epoch: Cut,
        pub(crate) policy: Policy,
        pub(crate) ladder: Option<String>,
    }

    #[derive(Copy, Clone, Debug)]
    pub(crate) struct Cut {
        pub(crate) frames: usize,
        pub(crate) octets: usize,
    }

    #[derive(Copy, Clone, Debug)]
    pub(crate) struct Progress {
        pub(crate) octets: u64,
        pub(crate) total: Option<u64>,
        pub(crate) packets: u64,
    }

    #[derive(Debug)]
    pub(crate) struct Error(pub(crate) Vec<(PathBuf, String)>);

    pub(crate) fn review(
        config: &Config,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Error> {
        progress(Progress { octets: 0, total: None, packets: 0 });
        let Config { lanes, mmap, hash, epoch, policy, ladder, .. } = config;
        let asked = format!("{lanes} {mmap} {hash} {epoch:?} {policy:?} {ladder:?}");
        let fault = |path: &PathBuf| match std::fs::metadata(path) {
            Ok(_) => format!("captures are not read yet ({} octets of options)", asked.len()),
            Err(error) => format!("cannot be opened: {error}"),
        };
        Err(Error(config.sources.iter().map(|path| (path.clone(), fault(path))).collect()))
    }
}
