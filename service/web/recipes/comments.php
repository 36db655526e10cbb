<?php
/**
 * Approved comments and the reply form as HTML, made on a website's own server.
 *
 *   echo anteroom_comments('https://comments.example.org', 'news', 'pk_...', 'article-7', $page_url);
 *
 * Keep the answer for some seconds if the page is read a lot.
 */

function anteroom_comments($service, $site, $public_key, $thread, $page_url) {
    $address = $service . '/v1/sites/' . rawurlencode($site)
        . '/threads/' . rawurlencode($thread) . '/comments';
    $context = stream_context_create(array('http' => array('timeout' => 3)));
    $answer = @file_get_contents($address, false, $context);
    // Without an answer the article appears all the same.
    $comments = $answer === false ? array() : json_decode($answer, true)['comments'];
    return '<ol>' . implode('', array_map('anteroom_comment', $comments)) . '</ol>'
        . anteroom_form($service, $public_key, $thread, $page_url);
}

function anteroom_comment($comment) {
    $name = htmlspecialchars($comment['author']['name'] ?: 'Anonymous');
    $replies = implode('', array_map('anteroom_comment', $comment['replies']));
    // `html` is safe as it comes: paragraphs, line breaks and links only.
    return "<li id=\"comment-{$comment['id']}\"><strong><bdi>$name</bdi></strong>"
        . " <time>{$comment['created_at']}</time><div dir=\"auto\">{$comment['html']}</div>"
        . ($replies ? "<ol>$replies</ol>" : '') . '</li>';
}

function anteroom_form($service, $public_key, $thread, $page_url) {
    $hidden = array('site_key' => $public_key, 'thread_id' => $thread,
        'thread_url' => $page_url, 'redirect_to' => $page_url);
    $fields = '';
    foreach ($hidden as $name => $value) {
        $fields .= "<input type=\"hidden\" name=\"$name\" value=\"" . htmlspecialchars($value) . '">';
    }
    return '<form method="post" action="' . htmlspecialchars($service) . "/v1/comments\">$fields"
        . '<p><label>Name <input name="author"></label></p>'
        . '<p><label>E-mail <input name="email" type="email"></label></p>'
        . '<p hidden><input name="website_confirm" tabindex="-1" autocomplete="off"></p>'
        . '<p><label>Comment <textarea name="comment" required></textarea></label></p>'
        . '<p><button>Post comment</button></p></form>';
}
