-- Checks as an Akismet client sends them: a comment of its own each time.

local number = 0
local key = os.getenv("BENCH_KEY")

request = function()
  number = number + 1
  local body = "api_key=" .. key .. "&blog=https%3A%2F%2Fblog.example%2F&user_ip=192.0.2."
    .. (number % 250) .. "&user_agent=Mozilla%2F5.0&comment_author=Reader&comment_author_email=reader-"
    .. number .. "%40example.org&permalink=https%3A%2F%2Fblog.example%2Fa-post%2F&comment_content="
    .. "Comment+" .. number .. "+on+what+the+commission+found+in+the+archive+of+the+ministry."
  return wrk.format("POST", "/1.1/comment-check",
    { ["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8" }, body)
end
