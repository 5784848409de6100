import { handle } from "./handler.js";

Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0]) }, handle);
