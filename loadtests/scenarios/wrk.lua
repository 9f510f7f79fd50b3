-- One fixed request per run (method and body come as arguments, headers by -H), so that wrk builds
-- it once and stays out of the way; at the end one line that a program can read.

function init(args)
    wrk.method = args[1] or "GET"
    wrk.body = args[2]
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '\nRESULT {"requests": %d, "us": %d, "p50_us": %d, "p99_us": %d, "connect": %d, '
            .. '"read": %d, "write": %d, "timeout": %d, "status": %d}\n',
        summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99),
        errors.connect, errors.read, errors.write, errors.timeout, errors.status
    ))
end
