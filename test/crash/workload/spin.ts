/** So many microseconds, which no timer waits so exactly. */
export async function spin(microseconds: number): Promise<void> {
  const end = performance.now() + microseconds / 1000;
  while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
}
