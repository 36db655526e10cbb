// Makes the pages on rules handier: the editor's line numbers follow the text, a mistake
// leads to its place, what is not done yet is looked at again until it is, and what is selected in a
// comment stands in the form that adds it to a list. All of it works without, too.

// --- the text with its lines ---

document.addEventListener("input", ({ target }) => {
  if (target.matches("[data-editor]")) number(target);
});

function number(text) {
  const gutter = text.closest(".editor").querySelector(".gutter");
  const count = text.value.split("\n").length;
  text.rows = count + 1;
  const shown = gutter.textContent.trim().split("\n").length;
  if (count === shown) return;
  // The marks tell of lines as they were checked, which have moved now.
  gutter.textContent = Array.from({ length: count }, (_, index) => index + 1).join("\n");
}

document.addEventListener("click", (event) => {
  const place = event.target.closest("a[data-line]");
  const text = document.querySelector("[data-editor]");
  if (!place || !text) return;
  event.preventDefault();
  const [line, column] = [Number(place.dataset.line), Number(place.dataset.column)];
  const before = text.value.split("\n").slice(0, line - 1);
  const start = before.reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
  text.focus();
  text.setSelectionRange(start, start);
  const height = text.scrollHeight / (text.value.split("\n").length + 1);
  text.closest(".editor").scrollTop = Math.max(0, (line - 6) * height);
});

// --- a trial that runs, figures that are being counted ---

const AGAIN_EVERY = 1_500;

async function lookAgain() {
  const place = document.querySelector("[data-again]");
  if (!place) return;
  if (document.visibilityState === "visible") {
    try {
      const response = await fetch(place.dataset.again, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const found = page.querySelector("[data-again]");
      if (!found && page.getElementById("main")) {
        document.getElementById("main").replaceWith(page.getElementById("main"));
        document.getElementById("announce").textContent = place.dataset.done;
        return;
      }
      if (found) place.replaceWith(found);
    } catch {
      // Away for the moment; the next time will tell.
    }
  }
  setTimeout(lookAgain, AGAIN_EVERY);
}

lookAgain();

// --- from a comment to a list ---

document.addEventListener("selectionchange", () => {
  const selection = getSelection();
  const entry = document.querySelector("[data-listing]");
  const within = selection.anchorNode?.parentElement?.closest("#open .text, #open .facts");
  const words = selection.toString().replace(/\s+/g, " ").trim();
  if (entry && within && words && words.length <= 100) entry.value = words;
});
