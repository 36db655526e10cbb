// Shows the approved comments of a page and the form to answer them, on any website:
//
//   <div id="comments"></div>
//   <script src="https://comments.example/static/embed.js" async data-into="comments"
//           data-site="news" data-key="pk_..." data-thread="article-7"></script>
//
// It takes its looks from the page. Nothing of it is stored in the reader's browser.
// `data-trap` names the hidden field if the site calls it otherwise.

(() => {
  "use strict";
  const script = document.currentScript;
  const { site, key, thread, into, trap = "website_confirm" } = script.dataset;
  const service = new URL(script.src).origin;
  const root = document.getElementById(into);
  const opened = new Date().toISOString();
  const article = {
    id: thread,
    url: document.querySelector("link[rel=canonical]")?.href ?? location.href.split("#")[0],
    title: document.querySelector("h1")?.textContent.trim() ?? document.title,
  };
  const FIELD_NAMES = { "/author/name": "Name", "/author/email": "E-mail", "/author/url": "Website", "/body": "Comment" };
  let replyTo = null;

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) {
      if (attribute.startsWith("on")) made.addEventListener(attribute.slice(2), value);
      else made.setAttribute(attribute, value);
    }
    made.append(...children);
    return made;
  }

  // The service sends p, br and links only; what is rebuilt here can be nothing else.
  function safe(html) {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    const rebuilt = (node) => {
      if (node.nodeType === Node.TEXT_NODE) return [document.createTextNode(node.data)];
      const inner = [...node.childNodes].flatMap(rebuilt);
      const name = node.nodeName.toLowerCase();
      if (name === "p" || name === "br") return [element(name, {}, ...inner)];
      if (name === "a" && /^https?:\/\//.test(node.getAttribute("href") ?? "")) {
        return [element("a", { href: node.getAttribute("href"), rel: "nofollow ugc noopener" }, ...inner)];
      }
      return inner;
    };
    return [...parsed.body.childNodes].flatMap(rebuilt);
  }

  function shown(comment) {
    const when = new Date(comment.created_at);
    const item = element("li", { id: `comment-${comment.id}` },
      element("article", {},
        element("header", {},
          element("strong", {}, element("bdi", {}, comment.author.name || "Anonymous")), " ",
          element("time", { datetime: comment.created_at }, when.toLocaleString())),
        element("div", { dir: "auto", class: "anteroom-text" }, ...safe(comment.html)),
        element("button", { type: "button", onclick: () => answer(comment) }, "Reply")));
    if (comment.replies.length) item.append(element("ol", {}, ...comment.replies.map(shown)));
    return item;
  }

  const list = element("ol", { class: "anteroom-comments" });
  const more = element("button", { type: "button", hidden: "" }, "Later comments");
  const heading = element("h2", {}, "Comments");
  const said = element("p", { role: "status" });
  const replying = element("p", { hidden: "" });

  async function load(after) {
    const address = new URL(`/v1/sites/${encodeURIComponent(site)}/threads/${encodeURIComponent(thread)}/comments`, service);
    if (after) address.searchParams.set("after", after);
    const response = await fetch(address, { credentials: "omit" });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const page = await response.json();
    heading.textContent = page.count === 1 ? "1 comment" : `${page.count} comments`;
    list.append(...page.comments.map(shown));
    more.hidden = !page.next;
    more.onclick = () => load(page.next).catch(failed);
  }

  function failed() {
    said.textContent = "The comments cannot be loaded at the moment.";
  }

  function answer(comment) {
    replyTo = comment.id;
    replying.hidden = false;
    replying.replaceChildren("Your reply goes to ", element("bdi", {}, comment.author.name || "Anonymous"), ". ",
      element("button", { type: "button", onclick: answerNobody }, "Answer nobody in particular"));
    form.elements.comment.focus();
  }

  function answerNobody() {
    replyTo = null;
    replying.hidden = true;
  }

  const field = (label, name, attributes) =>
    element("p", {}, element("label", {}, `${label} `, element("input", { name, ...attributes })));

  const form = element("form", { onsubmit: send },
    element("h2", {}, "Leave a reply"), replying,
    field("Name", "author", { maxlength: 245, autocomplete: "name", dir: "auto" }),
    field("E-mail (not published)", "email", { type: "email", maxlength: 254, autocomplete: "email" }),
    field("Website", "url", { maxlength: 2048, autocomplete: "url", inputmode: "url" }),
    element("p", { hidden: "", "aria-hidden": "true" },
      element("input", { name: trap, tabindex: -1, autocomplete: "off" })),
    element("p", {}, element("label", {}, "Comment ",
      element("textarea", { name: "comment", rows: 8, maxlength: 65525, dir: "auto", required: "" }))),
    element("p", {}, element("button", {}, "Post comment")));

  async function send(event) {
    event.preventDefault();
    const fields = new URLSearchParams(new FormData(form));
    fields.set("thread_id", article.id);
    fields.set("thread_url", article.url);
    fields.set("thread_title", article.title.slice(0, 500));
    fields.set("form_opened_at", opened);
    if (replyTo) fields.set("comment_parent", replyTo);
    const button = form.querySelector("button:not([type])");
    button.disabled = true;
    try {
      const response = await fetch(new URL("/v1/comments", service), {
        method: "POST",
        body: fields,
        credentials: "omit",
        headers: { Authorization: `Bearer ${key}`, "Idempotency-Key": crypto.randomUUID() },
      });
      tell(response.ok, await response.json());
    } catch {
      said.textContent = "The comment could not be sent. It still stands below; try again in a moment.";
    }
    button.disabled = false;
  }

  function tell(taken, document_) {
    if (taken) {
      form.elements.comment.value = "";
      answerNobody();
      said.replaceChildren("Thank you. Your comment awaits moderation. ",
        element("a", { href: document_.receipt_url, rel: "noopener" }, "Follow what becomes of it"), ".");
      return;
    }
    const errors = (document_.errors ?? []).map((one) => `${FIELD_NAMES[one.pointer] ?? one.pointer}: ${one.detail}.`);
    said.textContent = [`${document_.title}.`, ...errors].join(" ");
  }

  root.append(heading, list, more, said, form);
  load().catch(failed);
})();
