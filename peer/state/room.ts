/** Whether what is to be written would be refused for its size, before it is here. */
import type { Holdings, SizedWrite, StateEngine } from './engine.ts'
import { heldBytes } from './large-reference.ts'
import { Totals } from './totals.ts'

const utf8 = new TextEncoder()

/** Throws MeshError E_STATE_QUOTA (Totals.over). `totals`: what `engine` holds by now. */
export const ensureRoomFor = async (
  engine: Pick<StateEngine, 'revision' | 'read'>,
  totals: Totals,
  quotaOf: (namespace: string) => Holdings,
  writes: readonly SizedWrite[],
): Promise<void> => {
  const last = new Map(writes.map((write) => [`${write.namespace} ${write.key}`, write]))
  const revision = await engine.revision()
  const after = new Totals(totals)
  for (const { namespace, key, bytes } of last.values()) {
    const [entry] = await engine.read(namespace, [key], revision)
    const before = entry?.value && heldBytes(entry.value)
    const keys = Number(bytes !== undefined) - Number(before !== undefined)
    after.add(namespace, keys, (bytes ?? 0) - (before ?? 0) + keys * utf8.encode(key).length)
  }
  const wrong = after.over(quotaOf)
  if (wrong) throw wrong
}
