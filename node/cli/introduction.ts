/** What `wayside up` prints of an agent that has just started, in the foreground or not. */
import type { AgentStatus } from '../agent.ts'
import { upWords } from './status-words.ts'
import { print } from './terminal.ts'

/** Of a window that does not say. */
const COLUMNS_DEFAULT = 80

export const printIntroduction = async (status: AgentStatus): Promise<void> => {
  await print(upWords(status))
  if (status.phone === null) return
  const { phoneWords } = await import('./phone-words.ts')
  await print(phoneWords(status.phone, status.web, process.stdout.columns ?? COLUMNS_DEFAULT))
}
