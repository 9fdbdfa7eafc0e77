//! kube-scheduler, as a static pod.

use super::arguments::Arguments;
use super::credentials::Credentials;
use super::kube_controller_manager::{common, health};
use super::static_pod::StaticPod;
use super::{ComponentError, Images, accounts};
use crate::desired::layout::SCHEDULER_ACCOUNT;
use crate::desired::{NodeSpec, Resource, Stage};

const NAME: &str = "kube-scheduler";
const PORT: u16 = 10259;

pub(super) fn resources(spec: &NodeSpec, images: &Images) -> Result<Vec<Resource>, ComponentError> {
    let owner = accounts::owner(spec, SCHEDULER_ACCOUNT);
    let mut credentials = Credentials::new(spec, NAME, owner);
    let mut arguments = Arguments::new();
    common(&mut arguments, spec, &mut credentials, "scheduler.conf")?;
    let pod = StaticPod {
        name: NAME,
        stage: Stage::Controllers,
        image: &images.kube_scheduler,
        called_by: vec![],
        arguments: arguments.finish(),
        owner,
        credentials: credentials.directory(),
        inputs: credentials.digest(),
        writes: vec![],
        health: health(PORT, "/livez", "/readyz"),
        requests: ("50m", "48Mi"),
        grace: 10,
    };
    let mut resources = vec![pod.resource()];
    resources.extend(credentials.resources());
    Ok(resources)
}
