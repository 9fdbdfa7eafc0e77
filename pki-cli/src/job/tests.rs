use std::process::Command;

use super::*;

fn job() -> Job {
    Job {
        name: "kpki-renew".into(),
        program: "/usr/local/bin/kpki".into(),
        renews: Some(Cluster {
            dir: "/srv/kubernetes".into(),
            authorities: "/srv/kubernetes/ca".into(),
            authorities_given: false,
        }),
        checks: vec!["/srv/kubernetes".into()],
        prometheus: Some("/var/lib/textfile/kpki.prom".into()),
        every: Every::Daily,
        user: None,
    }
}

/// Paths that no tool writes by itself, and every one may find.
fn awkward() -> Job {
    let dir = PathBuf::from("/srv/a b/50% \"off\" $HOME 'x' \\n/kubernetes");
    Job {
        renews: Some(Cluster {
            authorities: "/mnt/safe ca".into(),
            authorities_given: true,
            dir: dir.clone(),
        }),
        checks: vec![dir],
        prometheus: None,
        user: Some(1000),
        ..job()
    }
}

fn write(dir: &Path, files: &[JobFile]) -> Vec<PathBuf> {
    let write = |file: &JobFile| {
        let path = dir.join(&file.name);
        std::fs::write(&path, &file.contents).unwrap();
        path
    };
    files.iter().map(write).collect()
}

fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().expect("systemd-analyze and sh are there");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// The checker passes over nothing: one word that it does not know, and it says so.
#[test]
fn systemd_takes_the_units() {
    for (mut job, every) in [
        (job(), Every::Daily),
        (awkward(), Every::Hourly),
        (job(), Every::Weekly),
    ] {
        job.every = every;
        // It wants the programs to be there.
        job.program = "/bin/true".into();
        let dir = tempfile::tempdir().unwrap();
        let units = write(dir.path(), &job.systemd());
        let (fine, said) = run(Command::new("systemd-analyze").arg("verify").args(&units));
        assert!(fine && said.is_empty(), "{said}");
        let calendar = job.systemd()[1].contents.clone();
        let calendar = calendar
            .lines()
            .find_map(|line| line.strip_prefix("OnCalendar="));
        let (fine, said) =
            run(Command::new("systemd-analyze").args(["calendar", calendar.unwrap()]));
        assert!(fine && said.contains("Next elapse"), "{said}");
    }
    let dir = tempfile::tempdir().unwrap();
    let mut broken = job().systemd();
    broken[0].contents.push_str("NoSuchWord=1\n");
    let units = write(dir.path(), &broken);
    let (_, said) = run(Command::new("systemd-analyze").arg("verify").args(&units));
    assert!(said.contains("NoSuchWord"), "{said}");
}

/// By systemd's own count, in which 10 is a service that may do everything. What stays is that it runs as root, whose
/// files it is about.
#[test]
fn the_service_is_exposed_as_little_as_can_be() {
    let dir = tempfile::tempdir().unwrap();
    let units = write(dir.path(), &job().systemd());
    let threshold = ["security", "--offline=yes", "--threshold=15", "--no-pager"];
    let (fine, said) = run(Command::new("systemd-analyze")
        .args(threshold)
        .arg(&units[0]));
    assert!(fine, "{said}");
}

/// systemd reads back the words that we meant.
#[test]
fn odd_paths_reach_the_program_as_they_are() {
    let job = awkward();
    let unit = &job.systemd()[0].contents;
    let start = unit
        .lines()
        .find(|line| line.starts_with("ExecStart="))
        .unwrap();
    assert_eq!(
        start,
        r#"ExecStart=/usr/local/bin/kpki renew --dir "/srv/a b/50%% \"off\" $$HOME 'x' \\n/kubernetes" --ca-dir "/mnt/safe ca" --if-within 33%%"#
    );
    assert!(unit.contains("\nUser=1000\n") && unit.contains("\nReadWritePaths=\"/mnt/safe ca\"\n"));
}

/// What cron gives to the shell, run by one: with a program that shows its words.
#[test]
fn cron_runs_what_was_meant() {
    let dir = tempfile::tempdir().unwrap();
    let mut job = awkward();
    job.program = dir.path().join("show");
    let script = "#!/bin/sh\nprintf '%s\\n' \"$@\" >&2\n";
    std::fs::write(&job.program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&job.program, mode).unwrap();
    let [file] = &job.cron()[..] else {
        panic!("one file");
    };
    let line = file
        .contents
        .lines()
        .find(|line| line.starts_with("@reboot"))
        .unwrap();
    let command = line.strip_prefix("@reboot 1000 sleep 60; ").unwrap();
    assert!(
        !command.replace("\\%", "").contains('%'),
        "cron cuts the line there: {command}"
    );
    let (fine, said) = run(Command::new("sh")
        .arg("-c")
        .arg(command.replace("\\%", "%")));
    let expected = [&job.renew().unwrap()[..], &job.check()[..]].concat();
    assert!(fine && said.lines().eq(expected.iter()), "{said}");
}

#[test]
fn every_job_has_a_moment_of_its_own() {
    let named = |name: &str| Job {
        name: name.into(),
        ..job()
    };
    assert_eq!(named("a").cron_schedule(), named("a").cron_schedule());
    let all: std::collections::BTreeSet<_> = (0..100)
        .map(|number| named(&number.to_string()).cron_schedule())
        .collect();
    assert!(all.len() > 80, "{}", all.len());
}

#[test]
fn a_pod_sees_the_directories_that_it_needs() {
    let place = InCluster {
        image: "registry.example/kpki:1".into(),
        node: "cp1".into(),
        namespace: "kube-system".into(),
    };
    let text = &job().kubernetes(&place)[0].contents;
    let paths: Vec<_> = text
        .lines()
        .filter(|line| line.contains("hostPath"))
        .collect();
    assert_eq!(paths.len(), 2, "{text}");
    let only = Job {
        renews: None,
        prometheus: None,
        ..job()
    };
    let text = &only.kubernetes(&place)[0].contents;
    assert!(
        text.contains("mountPath: \"/srv/kubernetes\", readOnly: true"),
        "{text}"
    );
    assert!(!text.contains("initContainers"));
}
