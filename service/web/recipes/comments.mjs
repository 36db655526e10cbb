// Approved comments and the reply form as HTML, made on a website's own server.
//
//   await commentsHtml("https://comments.example.org", "news", "pk_...", "article-7", pageUrl)
//
// Needs nothing but Node.js 18. Keep the answer for some seconds if the page is read a lot.

const escaped = (text) =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

export async function commentsHtml(service, site, publicKey, thread, pageUrl) {
  const address = `${service}/v1/sites/${encodeURIComponent(site)}/threads/${encodeURIComponent(thread)}/comments`;
  let comments = [];
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(3000) });
    if (answer.ok) ({ comments } = await answer.json());
  } catch {
    // The article appears all the same.
  }
  return `<ol>${comments.map(comment).join("")}</ol>${form(service, publicKey, thread, pageUrl)}`;
}

function comment({ id, author, created_at: createdAt, html, replies }) {
  // `html` is safe as it comes: paragraphs, line breaks and links only.
  return `<li id="comment-${id}"><strong><bdi>${escaped(author.name || "Anonymous")}</bdi></strong>`
    + ` <time>${createdAt}</time><div dir="auto">${html}</div>`
    + `${replies.length ? `<ol>${replies.map(comment).join("")}</ol>` : ""}</li>`;
}

function form(service, publicKey, thread, pageUrl) {
  const hidden = { site_key: publicKey, thread_id: thread, thread_url: pageUrl, redirect_to: pageUrl };
  const fields = Object.entries(hidden)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}">`)
    .join("");
  return `<form method="post" action="${escaped(service)}/v1/comments">${fields}`
    + '<p><label>Name <input name="author"></label></p>'
    + '<p><label>E-mail <input name="email" type="email"></label></p>'
    + '<p hidden><input name="website_confirm" tabindex="-1" autocomplete="off"></p>'
    + '<p><label>Comment <textarea name="comment" required></textarea></label></p>'
    + "<p><button>Post comment</button></p></form>";
}
