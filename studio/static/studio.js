// What pages do beyond reading: live parts, copying. Everything can be read without it.
"use strict";

// A browser has six connections to a host: a page that nobody looks at gives its own back.
function live(part) {
  let source = null;
  const stop = () => { if (source) { source.close(); source = null; } };
  const go = () => {
    if (source || !part.isConnected) return;
    source = new EventSource(part.dataset.live);
    source.addEventListener("part", (event) => replace(part, event.data));
    source.addEventListener("end", () => { stop(); refresh(); });
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : go()));
  if (!document.hidden) go();
}

// New content in the place of the old; who stood on a link by keyboard stands on the same one.
function replace(part, html) {
  const at = document.activeElement && part.contains(document.activeElement) ? document.activeElement.id : "";
  htmx.swap(part, html, { swapStyle: "innerHTML" });
  if (at && document.getElementById(at)) document.getElementById(at).focus({ preventScroll: true });
}

// When nothing changes any more, the rest of the page (report, gates, versions) is read once more.
function refresh() {
  htmx.ajax("GET", location.pathname + location.search, { target: "#main", select: "#main", swap: "outerHTML" });
}

function copies(root) {
  if (!navigator.clipboard) return;
  for (const code of root.querySelectorAll("[data-copy]:not([data-ready])")) {
    code.dataset.ready = "";
    const text = code.textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    });
    code.before(button);
  }
}

function begin(root) {
  copies(root);
  for (const part of root.querySelectorAll("[data-live]:not([data-begun])")) {
    part.dataset.begun = "";
    live(part);
  }
}

document.addEventListener("DOMContentLoaded", () => begin(document));
document.addEventListener("htmx:afterSwap", () => begin(document));
