import { cookies } from "next/headers";

export async function GET(request, { params }) {
  const { slug } = await params;
  const page = Number(request.nextUrl.searchParams.get("page") ?? 1);
  const jar = await cookies();
  const visits = Number(jar.get("visits")?.value ?? 0) + 1;
  jar.set("visits", String(visits));
  return Response.json({ slug, page, visits });
}
