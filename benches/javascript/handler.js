// The routes as one function of the Web's `Request`, for Deno, Bun and workerd.

const big = new Uint8Array(1 << 20).fill("b".charCodeAt(0));
const encoder = new TextEncoder();

export async function handle(request) {
  const url = new URL(request.url);
  switch (url.pathname) {
    case "/hello":
    case "/cached":
      return new Response("Hello, world!");
    case "/echo":
      return Response.json(await request.json());
    case "/big":
      return new Response(big);
    case "/upload":
      return new Response(request.body);
    case "/wait":
      await new Promise((resolve) => setTimeout(resolve, 50));
      return new Response("waited");
    case "/events":
      return new Response(events(), { headers: { "content-type": "text/event-stream" } });
  }
  if (url.pathname.startsWith("/numbered/")) {
    return new Response("Hello, world!");
  }
  const slug = url.pathname.match(/^\/items\/([^/]+)$/)?.[1];
  return slug ? item(decodeURIComponent(slug), url, request) : new Response(null, { status: 404 });
}

function item(slug, url, request) {
  const cookie = request.headers.get("cookie")?.match(/(?:^|; )visits=(\d+)/);
  const visits = Number(cookie?.[1] ?? 0) + 1;
  const page = Number(url.searchParams.get("page") ?? 1);
  return Response.json({ slug, page, visits }, { headers: { "set-cookie": `visits=${visits}; Path=/` } });
}

export function events() {
  let count = 0;
  return new ReadableStream({
    async pull(controller) {
      if (count > 0) await new Promise((resolve) => setTimeout(resolve, 10_000));
      controller.enqueue(encoder.encode(`data: ${count++}\n\n`));
    },
  });
}
