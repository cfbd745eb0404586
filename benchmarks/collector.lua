-- Sends the lines of a file as bodies, in turn; prints what was measured as one line of JSON.
local bodies, turn = {}, 0
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local delay_ms = tonumber(os.getenv("DELAY_MS"))

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Write-Key"] = os.getenv("WRITE_KEY")
wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"

local requests = {}
function init()
  for index, body in ipairs(bodies) do requests[index] = wrk.format(nil, nil, nil, body) end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

if delay_ms > 0 then
  -- Spread evenly between nothing and twice the mean, so that requests do not come in step.
  function delay() return math.random() * 2 * delay_ms end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests_per_second": %.1f, "p99_ms": %.2f, "failed": %d}\n',
    (summary.requests - errors.status) / summary.duration * 1e6, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
