-- Comments of 1 KB, each by a visitor of their own and with an Idempotency-Key.
local number = 0
local run = tostring(os.time()) .. "-" .. tostring(math.random(1, 1e9))
local prose = string.rep("The report names the places and the dates. ", 18)

function request()
  number = number + 1
  local visitor = run .. "-" .. number
  local body = '{"thread":{"id":"article-' .. (number % 50)
    .. '","url":"https://news.example/article-' .. (number % 50)
    .. '"},"author":{"name":"Reader ' .. number
    .. '","email":"reader-' .. visitor .. '@example.org","ip":"10.'
    .. (math.floor(number / 65536) % 256) .. "." .. (math.floor(number / 256) % 256) .. "."
    .. (number % 256) .. '"},"body":"Comment ' .. visitor .. ". " .. prose .. '"}'
  return wrk.format("POST", "/v1/comments", {
    ["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY"),
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = visitor,
  }, body)
end
