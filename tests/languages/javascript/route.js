// Answers any method with what it was asked and the body that was sent.

addEventListener("fetch", (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  const url = new URL(request.url);
  return new Response(request.body, {
    status: 201,
    headers: {
      "x-language": "JavaScript",
      "x-method": request.method,
      "x-target": url.pathname + url.search,
      "x-host": request.headers.get("x-forwarded-host"),
    },
  });
}
