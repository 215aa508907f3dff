//! A screen reader's view of a page: Chromium's accessibility tree in reading order, and acts on what was heard.
//!
//! Whoever uses it knows roles and names only, no element and no style. How a voice pronounces what is here is not known.

use serde_json::{Value, json};

use crate::chrome::Chrome;

/// One thing that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The role as browsers name it, such as `radio`; `StaticText` is text.
    pub role: String,
    /// The name; empty where there is none.
    pub name: String,
    /// What is said of its state, such as `checked`.
    pub states: Vec<String>,
    /// The names of groups and landmarks around it, the nearest last.
    pub within: Vec<String>,
    /// The browser's own number of the element.
    node: Option<i64>,
    /// How many things that are said stand around it.
    depth: usize,
}

impl Heard {
    /// Whether it is this role with this name.
    #[must_use]
    pub fn is(&self, role: &str, name: &str) -> bool {
        self.role == role && self.name == name
    }

    /// Whether this is said of it.
    #[must_use]
    pub fn has(&self, state: &str) -> bool {
        self.states.iter().any(|each| each == state)
    }
}

/// A page as it is read from top to end.
#[derive(Debug, Clone)]
pub struct Reading(pub Vec<Heard>);

impl Reading {
    /// Everything said, one a line, indented by what stands around it.
    #[must_use]
    pub fn transcript(&self) -> String {
        let line = |heard: &Heard| {
            let role = if heard.role == "StaticText" { "text" } else { &heard.role };
            let name = if heard.name.is_empty() { String::new() } else { format!(" “{}”", heard.name) };
            let states: String = heard.states.iter().map(|state| format!(", {state}")).collect();
            format!("{}{role}{name}{states}", "  ".repeat(heard.depth))
        };
        self.0.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Everything of a role, in reading order.
    pub fn all<'a>(&'a self, role: &'a str) -> impl Iterator<Item = &'a Heard> {
        self.0.iter().filter(move |heard| heard.role == role)
    }

    /// The only thing of this role with this name.
    #[must_use]
    #[track_caller]
    pub fn only(&self, role: &str, name: &str) -> &Heard {
        let found: Vec<&Heard> = self.0.iter().filter(|heard| heard.is(role, name)).collect();
        assert!(found.len() == 1, "{} × {role} “{name}” in:\n{}", found.len(), self.transcript());
        found[0]
    }

    /// What is in the group of this name, for a role and name of its own.
    #[must_use]
    #[track_caller]
    pub fn inside(&self, group: &str, role: &str, name: &str) -> &Heard {
        let fits = |heard: &&Heard| heard.is(role, name) && heard.within.iter().any(|each| each == group);
        let found: Vec<&Heard> = self.0.iter().filter(fits).collect();
        assert!(found.len() == 1, "{} × {role} “{name}” within “{group}” in:\n{}", found.len(), self.transcript());
        found[0]
    }

    /// The place in reading order of the first of a role whose name begins so.
    #[must_use]
    #[track_caller]
    pub fn place(&self, role: &str, begins: &str) -> usize {
        let fits = |heard: &Heard| heard.role == role && heard.name.starts_with(begins);
        self.0.iter().position(fits).unwrap_or_else(|| panic!("no {role} “{begins}…” in:\n{}", self.transcript()))
    }
}

impl Chrome {
    /// Reads the page as it stands.
    pub async fn read(&self) -> Reading {
        self.devtools("Accessibility.enable", json!({})).await;
        let tree = self.devtools("Accessibility.getFullAXTree", json!({})).await;
        let nodes = tree["nodes"].as_array().expect("the tree is a list of nodes");
        let root = nodes.iter().find(|node| node["parentId"].is_null()).expect("the tree has a root");
        let mut heard = Vec::new();
        listen(nodes, root, &mut Vec::new(), 0, &mut heard);
        Reading(heard)
    }

    /// Does what a screen reader does when its user activates what was heard.
    pub async fn activate(&self, heard: &Heard) {
        let node = heard.node.expect("what is activated is an element");
        let object = self.devtools("DOM.resolveNode", json!({ "backendNodeId": node })).await;
        let press = json!({
            "objectId": object["object"]["objectId"],
            "functionDeclaration": "function () { this.click() }",
            "userGesture": true,
        });
        self.devtools("Runtime.callFunctionOn", press).await;
    }

    /// Activates something that leads to another page, and waits for that page.
    pub async fn activate_through(&self, heard: &Heard) {
        self.mark().await;
        self.activate(heard).await;
        self.next_page().await;
    }
}

/// Roles whose name says all there is, so that what stands inside is not read a second time.
const WHOLE: [&str; 6] = ["heading", "link", "button", "radio", "progressbar", "StaticText"];
/// Roles that a reader passes over without a word.
const SILENT: [&str; 8] =
    ["none", "generic", "InlineTextBox", "LineBreak", "ListMarker", "LabelText", "Legend", "paragraph"];

fn listen(nodes: &[Value], node: &Value, within: &mut Vec<String>, depth: usize, heard: &mut Vec<Heard>) {
    let role = node["role"]["value"].as_str().unwrap_or_default().to_owned();
    let name = node["name"]["value"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let silent =
        node["ignored"] == true || SILENT.contains(&role.as_str()) || (role == "StaticText" && name.is_empty());
    if !silent {
        let node_id = node["backendDOMNodeId"].as_i64();
        let states = states(node);
        heard.push(Heard {
            role: role.clone(),
            name: name.clone(),
            states,
            within: within.clone(),
            node: node_id,
            depth,
        });
    }
    if WHOLE.contains(&role.as_str()) && !silent {
        return;
    }
    if !silent {
        within.push(name);
    }
    for id in node["childIds"].as_array().into_iter().flatten() {
        if let Some(child) = nodes.iter().find(|other| other["nodeId"] == *id) {
            listen(nodes, child, within, depth + usize::from(!silent), heard);
        }
    }
    if !silent {
        within.pop();
    }
}

/// What is said of a node besides its role and name.
fn states(node: &Value) -> Vec<String> {
    let mut said = Vec::new();
    for property in node["properties"].as_array().into_iter().flatten() {
        let value = &property["value"]["value"];
        let name = property["name"].as_str().unwrap_or_default();
        let yes = value == true || value == "true";
        match name {
            "level" => said.push(format!("level {value}")),
            "checked" => said.push(if yes { "checked" } else { "not checked" }.to_owned()),
            "required" | "focused" | "disabled" if yes => said.push(name.to_owned()),
            "expanded" => said.push(if yes { "expanded" } else { "collapsed" }.to_owned()),
            "invalid" if value != "false" => said.push("invalid".to_owned()),
            "live" if value != "off" => said.push(format!("live {}", value.as_str().unwrap_or_default())),
            "valuemin" | "valuemax" if node["role"]["value"] == "progressbar" => said.push(format!("{name} {value}")),
            _ => {}
        }
    }
    if let Some(text) = node["description"]["value"].as_str().filter(|text| !text.is_empty()) {
        said.push(format!("described as “{text}”"));
    }
    if node["role"]["value"] == "progressbar" {
        said.push(format!("value {}", node["value"]["value"]));
    }
    said
}
