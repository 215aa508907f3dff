//! axe-core over the page a browser shows: the rules of WCAG 2.0, 2.1 and 2.2, levels A and AA, and axe's best practices.
//!
//! `tests/browser/tools.sh` brings the library; where it is missing the test that wants it fails. The script is run by the
//! browser's driver, so a page's policy against scripts neither stops it nor is loosened for it.

use std::sync::OnceLock;

use serde_json::Value;

use crate::chrome::Chrome;
use crate::root;

/// What axe found on one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// What breaks a rule: the rule, the element, and what is wrong with it.
    pub violations: Vec<String>,
    /// How many rules had something to look at and found it right.
    pub passes: usize,
    /// What axe could not decide by itself.
    pub undecided: Vec<String>,
}

const RUN: &str = "
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
return axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations', 'incomplete'] })
  .then(({ violations, passes, incomplete }) => {
    const told = (rules) => rules.flatMap((rule) => rule.nodes.map((node) =>
      `${rule.id}: ${node.target.join(' ')}: ${[...node.any, ...node.all, ...node.none].map((check) => check.message).join('; ')}`));
    return { violations: told(violations), passes: passes.length, undecided: told(incomplete) };
  });";

impl Chrome {
    /// Holds the page as it stands against axe's rules.
    pub async fn axe(&self) -> Findings {
        if self.ask("return typeof axe").await != "object" {
            self.ask(source()).await;
        }
        let found = self.ask(RUN).await;
        let lines = |name: &str| -> Vec<String> {
            found[name].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
        };
        let passes = found["passes"].as_u64().and_then(|passes| usize::try_from(passes).ok());
        Findings {
            violations: lines("violations"),
            passes: passes.expect("axe counts what passed"),
            undecided: lines("undecided"),
        }
    }

    /// The version of axe that looked at the page.
    pub async fn axe_version(&self) -> Value {
        self.ask("return axe.version").await
    }
}

fn source() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let path = root().join("target/browser-tools/node_modules/axe-core/axe.min.js");
        std::fs::read_to_string(path).expect("axe-core is missing: run tests/browser/tools.sh")
    })
}
