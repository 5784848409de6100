import { handle } from "./handler.js";

// The default ends a silent stream after ten seconds.
Bun.serve({ hostname: "127.0.0.1", port: Number(process.argv[2]), idleTimeout: 60, fetch: handle });
