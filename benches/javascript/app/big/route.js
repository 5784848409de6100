export const dynamic = "force-dynamic";

const big = new Uint8Array(1 << 20).fill("b".charCodeAt(0));

export function GET() {
  return new Response(big);
}
