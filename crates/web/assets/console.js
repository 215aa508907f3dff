// Keeps the board up to date. Without it the page reloads itself; with it only the part that changed is renewed.
// The stream says by a number what there is to see; a page that was cut off compares it with what it shows.
"use strict";
(() => {
  const live = document.getElementById("live");
  const shown = () => document.getElementById("board");
  if (!live || !shown() || !window.EventSource) return;
  const say = (text) => { if (live.textContent !== text) live.textContent = text; };
  let busy = false;

  const renew = async () => {
    if (busy) return;
    busy = true;
    try {
      const reply = await fetch(live.dataset.part, { credentials: "same-origin", cache: "no-store" });
      // The way in, or a page that says why not: the whole page is the better place for it.
      if (reply.redirected || reply.status === 403) { window.location.reload(); return; }
      if (!reply.ok) return;
      const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").getElementById("board");
      if (!fresh) return;
      for (const open of shown().querySelectorAll("details[open]")) {
        const same = fresh.querySelector("#" + open.id);
        if (same) same.open = true;
      }
      shown().replaceWith(document.adoptNode(fresh));
    } catch (lost) {
      say(live.dataset.off);
    } finally {
      busy = false;
    }
  };

  let source = null;
  let lost = 0;
  // A stream ends by itself now and then and is begun anew at once; only what lasts is told.
  const doubt = () => { lost = lost || window.setTimeout(() => say(live.dataset.off), 10000); };
  const trust = () => { window.clearTimeout(lost); lost = 0; };

  const watch = () => {
    source = new EventSource(live.dataset.events);
    source.addEventListener("board", (event) => {
      trust();
      say(live.dataset.on);
      if (event.data !== shown().dataset.state) renew();
    });
    source.addEventListener("open", trust);
    source.addEventListener("error", ({ target }) => {
      doubt();
      if (target.readyState !== EventSource.CLOSED || target !== source) return;
      // The server answered something else than a stream: it will not try again by itself.
      say(live.dataset.off);
      renew();
      window.setTimeout(() => { if (target === source) watch(); }, 5000);
    });
  };
  // A browser holds few connections to one server: a board that nobody sees leaves its own to other pages.
  document.addEventListener("visibilitychange", () => {
    if (source) source.close();
    source = null;
    trust();
    if (!document.hidden) watch();
  });
  if (!document.hidden) watch();
})();
