// Makes the console quick: single keys, and the next comment without loading the
// whole page anew. Every link and form works without it, by the same addresses.

const BUSY = "busy";
const CLAIM_EVERY = 60_000;
const root = document.documentElement;
let claimedAt = Date.now();
let under_way = null;

// --- keys ---

document.addEventListener("keydown", (event) => {
  if (!("singleKeys" in root.dataset) || event.defaultPrevented) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]")) return;
  if (event.key.length !== 1 || event.key === " ") return;
  const target = withKey(event.key.toLowerCase());
  if (!target) return;
  event.preventDefault();
  if (target.matches("input:not([type=checkbox])")) target.focus();
  else target.click();
});

function withKey(key) {
  const found = document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`);
  return [...found].find((element) => element.checkVisibility());
}

// --- pages in place ---

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swift]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  load(link.href, {}, { push: true });
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("swift" in form.dataset)) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  load(form.action, { method: "POST", body }, { push: true });
});

addEventListener("popstate", () => load(location.href, {}, { push: false }));

async function load(address, options, { push }) {
  if (under_way) {
    // A second decision must not be made on a page that is about to go.
    if (options.method === "POST" || under_way.posts) return;
    under_way.abort.abort();
  }
  const abort = new AbortController();
  under_way = { abort, posts: options.method === "POST" };
  root.classList.add(BUSY);
  try {
    const response = await fetch(address, { ...options, signal: abort.signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!page.getElementById("main")) location.assign(response.url);
    else show(page, response.url, push);
  } catch (error) {
    if (error.name !== "AbortError") tell("The service did not answer. Nothing was changed by this page; please try again.");
  } finally {
    if (under_way?.abort === abort) {
      under_way = null;
      root.classList.remove(BUSY);
    }
  }
}

function show(page, address, push) {
  const scrolled = document.querySelector(".rows")?.scrollTop ?? 0;
  document.getElementById("main").replaceWith(page.getElementById("main"));
  document.title = page.title;
  if (push && address !== location.href) history.pushState(null, "", address);
  const rows = document.querySelector(".rows");
  if (rows) {
    rows.scrollTop = scrolled;
    rows.querySelector(".current")?.scrollIntoView({ block: "nearest" });
  }
  const open = document.getElementById("open");
  (open ?? document.getElementById("main")).focus({ preventScroll: true });
  const told = document.querySelector(".notice p")?.textContent ?? "";
  const next = open ? `${open.getAttribute("aria-label")}.` : document.querySelector(".empty strong")?.textContent ?? "";
  tell(`${told} ${next}`.trim());
  claimedAt = Date.now();
}

function tell(words) {
  document.getElementById("announce").textContent = words;
}

// --- the claim lasts while somebody works ---

for (const sign of ["keydown", "pointermove", "scroll"]) {
  document.addEventListener(sign, keepClaim, { passive: true, capture: true });
}

function keepClaim() {
  const comment = document.getElementById("open")?.dataset.comment;
  if (!comment || Date.now() - claimedAt < CLAIM_EVERY) return;
  claimedAt = Date.now();
  const token = document.querySelector("meta[name=csrf-token]").content;
  fetch(`/review/${comment}/claim`, { method: "POST", headers: { "X-CSRFToken": token } }).catch(() => {});
}

// --- live counts: a stream says that something happened, or one asks now and then ---

const ASK_EVERY = 10_000;
let source = null;
let timer = null;
let tag = "";

function listen() {
  source?.close();
  clearTimeout(timer);
  source = null;
  const place = document.querySelector("[data-stream]");
  if (!place || document.visibilityState === "hidden") return;
  source = new EventSource(place.dataset.stream);
  source.addEventListener("message", ask);
  source.addEventListener("error", () => {
    // Closed for good means that every stream is taken.
    if (source?.readyState === EventSource.CLOSED) askAgain();
  });
}

function askAgain() {
  clearTimeout(timer);
  timer = setTimeout(() => ask().then(askAgain), ASK_EVERY);
}

async function ask() {
  const place = document.querySelector("[data-live]");
  if (!place || document.visibilityState === "hidden") return;
  const headers = tag ? { "If-None-Match": tag } : {};
  try {
    const response = await fetch(place.dataset.live, { headers, cache: "no-store" });
    if (response.status !== 200) return;
    tag = response.headers.get("ETag") ?? "";
    hear(await response.json());
  } catch {
    // Away for the moment; the next time will tell.
  }
}

function hear({ new: arrived, counts }) {
  for (const [lane, count] of Object.entries(counts)) {
    const badge = document.querySelector(`[data-count="${lane}"]`);
    if (badge && badge.textContent !== count) badge.textContent = count;
  }
  const fresh = document.getElementById("fresh");
  if (!fresh || !arrived) return;
  const words = `${arrived} new`;
  if (fresh.firstElementChild.textContent !== words) {
    fresh.firstElementChild.textContent = words;
    if (fresh.hidden) tell(words);
  }
  fresh.hidden = false;
}

document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", () => source?.close());
listen();
