//! A job as a file for `/etc/cron.d`: crontab(5).

use super::{Job, JobFile, MARK};
use crate::output::words::shell;

pub(super) fn files(job: &Job) -> Vec<JobFile> {
    let command = |words: &[String]| {
        let program = super::text(&job.program);
        let all = std::iter::once(&program).chain(words);
        let all: Vec<_> = all.map(|word| shell(word)).collect();
        // cron takes % for a line feed.
        all.join(" ").replace('%', "\\%")
    };
    let check = command(&job.check());
    // What renew has to say when all is well is nobody's mail; errors are. The check has the last word.
    let work = match job.renew() {
        Some(renew) => format!("{} >/dev/null; {check}", command(&renew)),
        None => check,
    };
    let user = job.user.map_or("root".to_owned(), |user| user.to_string());
    let jitter = job.jitter() - 1;
    let contents = format!(
        "{MARK}: kpki {description}. What it says is mailed to root.\n\
         SHELL=/bin/sh\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nMAILTO=root\n\n\
         # Not all machines at once: up to {jitter} seconds later.\n\
         {schedule} {user} sleep \"$(shuf -i 0-{jitter} -n 1)\"; {work}\n\
         # What was missed while the machine was off is made up for.\n\
         @reboot {user} sleep 60; {work}\n",
        description = job.description().replace('%', ""),
        schedule = job.cron_schedule(),
    );
    vec![JobFile {
        // cron passes over names with a dot.
        name: job.name.replace('.', "-"),
        contents,
    }]
}
