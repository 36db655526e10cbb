// What the Akismet clients for JavaScript make of a running service:
// `node akismet_clients.mjs PORT KEY SPAM HAM` prints it as JSON.

import dns from "node:dns";
import { createRequire } from "node:module";
import { Author, Blog, Client, Comment } from "@cedx/akismet";

const { AkismetClient } = createRequire(import.meta.url)("akismet-api");
const [port, key, spam, ham] = process.argv.slice(2);
const blog = "https://blog.example/";
const person = { ip: "192.0.2.72", agent: "Mozilla/5.0", name: "Nina", email: "nina@mail.example" };

// One of them puts the key into the host name: every name leads to this machine.
const lookup = dns.lookup;
dns.lookup = (_name, options, done) => lookup("127.0.0.1", options, done);

async function outcome(call) {
  try {
    const said = await call();
    return said === undefined ? "done" : said;
  } catch (error) {
    return `error: ${error.message}`;
  }
}

async function akismetApi(ourKey) {
  const client = new AkismetClient({ key: ourKey, blog, host: `comments.example:${port}`, protocol: "http" });
  const comment = (content) => ({
    ip: person.ip, useragent: person.agent, name: person.name, email: person.email, content,
  });
  return {
    verify: await outcome(() => client.verifyKey()),
    spam: await outcome(() => client.checkSpam(comment(spam))),
    ham: await outcome(() => client.checkSpam(comment(ham))),
    submitSpam: await outcome(() => client.submitSpam(comment(ham))),
    submitHam: await outcome(() => client.submitHam(comment(spam))),
  };
}

async function cedx(ourKey) {
  const client = new Client(ourKey, new Blog({ url: blog, languages: ["en", "fr"], charset: "UTF-8" }), {
    baseUrl: `http://127.0.0.1:${port}`,
  });
  const author = new Author({
    ipAddress: person.ip, userAgent: person.agent, name: person.name, email: person.email,
  });
  const comment = (content) => new Comment({ author, content, date: new Date(), type: "comment", context: ["a", "b"] });
  return {
    verify: await outcome(() => client.verifyKey()),
    spam: await outcome(() => client.checkComment(comment(spam))),
    ham: await outcome(() => client.checkComment(comment(ham))),
    submitSpam: await outcome(() => client.submitSpam(comment(ham))),
    submitHam: await outcome(() => client.submitHam(comment(spam))),
  };
}

console.log(JSON.stringify({
  "akismet-api": await akismetApi(key),
  "@cedx/akismet": await cedx(key),
  "akismet-api with a wrong key": await akismetApi("0123456789ab"),
  "@cedx/akismet with a wrong key": await cedx("0123456789ab"),
}));
