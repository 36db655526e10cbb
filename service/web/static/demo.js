// Keeps the notice under the article up to date without a reload. The page
// works without it: the receipt link shows the same.

const notice = document.getElementById("receipt");
const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;

async function follow(receipt, wait) {
  const response = await fetch(receipt, { headers: { Accept: "application/json" } });
  if (!response.ok) return;
  const { id, status, message, house_rule: rule } = await response.json();
  show(message, rule);
  if (status === "approved") offer(id);
  if (status === "pending" || status === "held") {
    const next = Math.min(wait * 1.5, LONGEST_WAIT);
    setTimeout(() => follow(receipt, next).catch(() => {}), wait);
  }
}

function show(message, rule) {
  const shown = document.getElementById("receipt-message");
  // Written only when it changed: screen readers announce every write.
  if (shown.textContent === message) return;
  shown.textContent = message;
  const reason = document.getElementById("receipt-rule");
  reason.textContent = rule ?? "";
  reason.hidden = !rule;
}

function offer(id) {
  if (document.getElementById(`comment-${id}`)) return;
  const link = document.createElement("a");
  link.href = `${location.pathname}#comment-${id}`;
  link.textContent = "Show it among the comments";
  const line = document.createElement("p");
  line.append(link);
  notice.append(line);
}

if (notice) follow(notice.dataset.receipt, FIRST_WAIT).catch(() => {});
