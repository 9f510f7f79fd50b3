-- One fixed request per run (method, wanted status and body come as arguments, headers by -H), so
-- that wrk builds it once and stays out of the way; at the end one line that a program can read.
-- Only where another status than 2xx or 3xx is wanted does wrk look into each answer.

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(args)
    wrk.method = args[1] or "GET"
    local wanted = tonumber(args[2] or "0")
    wrk.body = args[3]
    if wanted >= 400 then
        answered = 0
        function response(status)
            if status == wanted then
                answered = answered + 1
            end
        end
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    local unwanted = errors.status
    if threads[1]:get("answered") then
        unwanted = summary.requests
        for _, thread in ipairs(threads) do
            unwanted = unwanted - thread:get("answered")
        end
    end
    io.write(string.format(
        '\nRESULT {"requests": %d, "us": %d, "p50_us": %d, "p99_us": %d, "connect": %d, '
            .. '"read": %d, "write": %d, "timeout": %d, "status": %d}\n',
        summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99),
        errors.connect, errors.read, errors.write, errors.timeout, math.max(unwanted, 0)
    ))
end
