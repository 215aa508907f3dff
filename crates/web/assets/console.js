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

  const watch = () => {
    const source = new EventSource(live.dataset.events);
    source.addEventListener("board", (event) => {
      say(live.dataset.on);
      if (event.data !== shown().dataset.state) renew();
    });
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return;
      // The server answered something else than a stream: it will not try again by itself.
      say(live.dataset.off);
      renew();
      window.setTimeout(watch, 5000);
    });
  };
  watch();
})();
