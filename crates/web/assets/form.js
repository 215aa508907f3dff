// Saves each answer as it is chosen. Without this script the form works as well: the page itself holds the answers.
(() => {
  "use strict";
  const form = document.getElementById("form");
  const note = document.getElementById("saved");
  if (!form || !note || !form.dataset.save || !window.fetch) return;
  const SOON = 1000;
  const SELDOM = 30000;
  const pending = new Map();
  let busy = false;
  let over = false;
  let wait = SOON;
  let timer = 0;
  let warned = 0;
  let waited = false;
  let underway = Promise.resolve();

  // The same words again would be read aloud again.
  const say = (word) => {
    if (note.dataset.state === word) return;
    note.dataset.state = word;
    note.textContent = note.dataset[word];
  };

  const post = async (batch) => {
    const body = new URLSearchParams({ paper: form.elements.paper.value, at: form.elements.at.value });
    batch.forEach((value, name) => body.append(name, value));
    try {
      const reply = await fetch(form.dataset.save, { method: "POST", body, keepalive: true, redirect: "error" });
      return reply.status;
    } catch {
      return 0;
    }
  };

  const save = async () => {
    if (busy || over || pending.size === 0) return;
    clearTimeout(timer);
    busy = true;
    const batch = new Map(pending);
    const posting = post(batch);
    underway = posting;
    const status = await posting;
    busy = false;
    if (status === 204) {
      batch.forEach((value, name) => pending.get(name) === value && pending.delete(name));
      wait = SOON;
      if (pending.size > 0) return save();
      return say("saved");
    }
    // 202: this survey keeps no drafts. 409: the form takes nothing any more, or not this.
    if (status === 202 || status === 409) {
      over = true;
      return status === 409 && say("refused");
    }
    say("unsaved");
    timer = setTimeout(save, wait);
    wait = Math.min(wait * 2, SELDOM);
  };

  const soon = () => {
    wait = SOON;
    save();
  };

  form.addEventListener("change", ({ target }) => {
    if (!target.name.startsWith("q.")) return;
    pending.set(target.name, target.value);
    save();
  });
  window.addEventListener("online", soon);
  document.addEventListener("visibilitychange", soon);

  // Without a connection the browser would put its own error page in place of this one. Some browsers believe wrongly
  // that there is none, so that a second press goes through.
  form.addEventListener("submit", (event) => {
    if (busy && !waited) {
      // What is on its way could arrive after the page that is pressed now and would undo a newer choice.
      event.preventDefault();
      waited = true;
      const { submitter } = event;
      const go = () => form.requestSubmit(submitter);
      const patience = setTimeout(go, 2000);
      underway.finally(() => {
        clearTimeout(patience);
        go();
      });
      return;
    }
    waited = false;
    if (navigator.onLine !== false || Date.now() - warned < 15000) return;
    warned = Date.now();
    event.preventDefault();
    say("offline");
    note.scrollIntoView({ block: "center" });
  });
})();
