import { events } from "../../handler.js";

export const dynamic = "force-dynamic";

export function GET() {
  return new Response(events(), { headers: { "content-type": "text/event-stream" } });
}
