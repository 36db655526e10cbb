"""Files as other systems export their comments, made up here, with every state they know."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

WXR_HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>The News</title><wp:wxr_version>1.2</wp:wxr_version>
<wp:author><wp:author_id>1</wp:author_id></wp:author>
"""
WXR_TAIL = "</channel></rss>\n"


def wxr_head(address: str) -> str:
    """Return the beginning of the export of the WordPress at that address."""
    version = "<wp:wxr_version>1.2</wp:wxr_version>"
    base = f"<wp:base_site_url>{address}</wp:base_site_url>"
    blog = f"<wp:base_blog_url>{address}</wp:base_blog_url>"
    return WXR_HEAD.replace(version, f"{version}{base}{blog}")


def wxr_post(number: int, comments: str, status: str = "publish", password: str = "") -> str:
    """Return one post of a WordPress export."""
    return f"""<item><title>The report &amp; its file</title>
<link>https://news.example/?p={number}</link><content:encoded><![CDATA[<p>Long</p>]]></content:encoded>
<wp:post_id>{number}</wp:post_id><wp:status>{status}</wp:status>
<wp:post_type>post</wp:post_type><wp:post_password><![CDATA[{password}]]></wp:post_password>
<wp:postmeta><wp:meta_key>_edit_last</wp:meta_key><wp:meta_value>1</wp:meta_value></wp:postmeta>
{comments}</item>
"""


def wxr_comment(
    number: int,
    state: str = "1",
    *,
    parent: int = 0,
    text: str = "A remark.",
    kind: str = "comment",
    gmt: str = "",
    local: str = "2024-03-01 11:00:00",
) -> str:
    """Return one comment of a WordPress export."""
    return f"""<wp:comment><wp:comment_id>{number}</wp:comment_id>
<wp:comment_author><![CDATA[Ines {number}]]></wp:comment_author>
<wp:comment_author_email>ines{number}@mail.example</wp:comment_author_email>
<wp:comment_author_url>https://ines.example/</wp:comment_author_url>
<wp:comment_author_IP>192.0.2.{number % 250}</wp:comment_author_IP>
<wp:comment_date>{local}</wp:comment_date>
<wp:comment_date_gmt>{gmt or f"2024-03-01 10:00:{number % 60:02}"}</wp:comment_date_gmt>
<wp:comment_content><![CDATA[{text}]]></wp:comment_content>
<wp:comment_approved>{state}</wp:comment_approved><wp:comment_type>{kind}</wp:comment_type>
<wp:comment_parent>{parent}</wp:comment_parent><wp:comment_user_id>0</wp:comment_user_id>
<wp:commentmeta><wp:meta_key>akismet_result</wp:meta_key><wp:meta_value>false</wp:meta_value></wp:commentmeta>
</wp:comment>
"""


def large_wxr(megabytes: int) -> Iterator[bytes]:
    """Yield a WordPress export of about so many megabytes, part by part."""
    yield WXR_HEAD.encode()
    number = 0
    written = 0
    text = "They wrote down every name that was told to them. " * 20
    while written < megabytes * 2**20:
        comments = "".join(wxr_comment(number + each, text=text) for each in range(50))
        number += 50
        part = wxr_post(number, comments).encode()
        written += len(part)
        yield part
    yield WXR_TAIL.encode()


DISQUS = """<?xml version="1.0" encoding="utf-8"?>
<disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<category dsq:id="1"><forum>news</forum><title>General</title></category>
<thread dsq:id="10"><id>article-7</id><forum>news</forum><category dsq:id="1"/>
<link>https://news.example/7</link><title>The report</title><message/></thread>
<post dsq:id="100"><id/><message><![CDATA[<p>First <b>line</b><br>second &amp; more</p><p>See
<a href="https://a.example/x">this</a></p>]]></message><createdAt>2013-05-02T10:00:00Z</createdAt>
<isDeleted>false</isDeleted><isSpam>false</isSpam><author><email>ana@mail.example</email>
<name>Ana</name><isAnonymous>true</isAnonymous></author><ipAddress>192.0.2.9</ipAddress>
<thread dsq:id="10"/></post>
<post dsq:id="101"><id/><message><![CDATA[<p>A reply</p>]]></message>
<createdAt>2013-05-02T11:00:00Z</createdAt><isDeleted>false</isDeleted><isSpam>false</isSpam>
<author><name>Ben</name></author><thread dsq:id="10"/><parent dsq:id="100"/></post>
<post dsq:id="102"><id/><message><![CDATA[<p>Buy</p>]]></message>
<createdAt>2013-05-02T12:00:00Z</createdAt><isDeleted>false</isDeleted><isSpam>true</isSpam>
<author><name>Bot</name></author><thread dsq:id="10"/></post>
<post dsq:id="103"><id/><message><![CDATA[<p>Gone</p>]]></message>
<createdAt>2013-05-02T13:00:00Z</createdAt><isDeleted>true</isDeleted><isSpam>false</isSpam>
<author><name>Cleo</name></author><thread dsq:id="10"/></post>
<post dsq:id="104"><id/><message><![CDATA[<p>Waits</p>]]></message>
<createdAt>2013-05-02T14:00:00Z</createdAt><isDeleted>false</isDeleted><isSpam>false</isSpam>
<isApproved>false</isApproved><author><name>Dora</name></author><thread dsq:id="10"/></post>
</disqus>
"""


def large_disqus(threads: int) -> Iterator[bytes]:
    """Yield a Disqus export of so many threads with a comment each, part by part."""
    head, _, rest = DISQUS.partition("<thread ")
    thread, end, rest = ("<thread " + rest).partition("</thread>")
    post = rest.partition("<post ")[2].partition("</post>")[0]
    yield head.encode()
    for number in range(threads):
        told = (thread + end).replace('"10"', f'"{number}"').replace("/7<", f"/{number}<")
        yield told.encode()
    for number in range(threads):
        told = f"<post {post}</post>".replace('"10"', f'"{number}"')
        yield told.replace('"100"', f'"p{number}"').encode()
    yield b"</disqus>"


def write_isso(path: Path) -> None:
    """Write a database of Isso with a comment in each of its modes."""
    with sqlite3.connect(path) as db:
        db.executescript(
            """
            CREATE TABLE threads (id INTEGER PRIMARY KEY, uri VARCHAR(256) UNIQUE,
              title VARCHAR(256));
            CREATE TABLE comments (tid REFERENCES threads(id), id INTEGER PRIMARY KEY,
              parent INTEGER, created FLOAT NOT NULL, modified FLOAT, mode INTEGER,
              remote_addr VARCHAR, text VARCHAR, author VARCHAR, email VARCHAR, website VARCHAR,
              likes INTEGER DEFAULT 0, dislikes INTEGER DEFAULT 0, voters BLOB NOT NULL,
              notification INTEGER DEFAULT 0);
            INSERT INTO threads VALUES (1, '/article/7/', 'The report');
            INSERT INTO comments VALUES
              (1, 1, NULL, 1400000000.5, NULL, 4, '192.0.2.0', '', NULL, NULL, NULL, 0, 0, '', 0),
              (1, 2, 1, 1400000100.0, NULL, 1, '192.0.2.0', 'A *reply*', 'Ana', 'ana@mail.example',
               'https://ana.example', 1, 0, '', 0),
              (1, 3, NULL, 1400000200.0, NULL, 2, '192.0.2.0', 'Waits', 'Ben', NULL, NULL,
               0, 0, '', 0);
            """
        )
    db.close()
