/** What a person needs to hear once, and not again: kept in the data directory, where there is one. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OpenedBackend } from './backends.ts'
import { say } from './terminal.ts'

const NOTICE =
  'note: other peers run your functions, and whoever runs one can read its code and input. Said once; keep secrets out of both.'

/** Before the first call that may go to peers other than this one. */
export const tellOnceOfReaders = async (
  data: string,
  { neighbours }: Pick<OpenedBackend, 'neighbours'>,
): Promise<void> => {
  const told = join(data, 'told.json')
  if (existsSync(told) || (await neighbours()) === 0) return
  say(NOTICE)
  if (existsSync(data)) writeFileSync(told, `${JSON.stringify({ executors_can_read: true })}\n`, { mode: 0o600 })
}
