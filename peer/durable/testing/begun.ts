/** What sandbox processes are given to begin with of a durable invocation. */
import type { JournalEntry } from '../../../protocol/journal.ts'
import type { SandboxHost } from '../../../protocol/ports.ts'
import { decodeCommands } from '../../../sandbox/frames.ts'
import { isImageFile } from '../../../sandbox/image-file.ts'
import { decodeRegions } from '../../../sandbox/region-file.ts'

export interface Begun {
  requests: number
  /** Of these so many lie before the checkpoint that came with it, and so many ticks. */
  skipped: number
  ticks: number
}

export const isRequest = ({ entry }: JournalEntry): boolean => entry === 'request'

const NOTHING = { requests: 0, ticks: 0 }

/** `host`; `begun` is told of each run of a default export. */
export const watched = (host: SandboxHost, begun: (one: Begun) => void): SandboxHost => ({
  spawn: (engine) => {
    const process = host.spawn(engine)
    const from = new Map<number, typeof NOTHING>()
    const look = (frame: Uint8Array) => {
      for (const command of decodeCommands(frame)) {
        if (command[0] === 'from') from.set(command[1], decodeRegions(command[2]).head as unknown as typeof NOTHING)
        if (command[0] !== 'runs' || command[2] !== 'default') continue
        for (const [id, , , journal] of command[7]) {
          const { requests, ticks } = from.get(id) ?? NOTHING
          begun({ requests: journal.filter(isRequest).length, skipped: requests, ticks })
        }
      }
    }
    return {
      ...(process.engines && { engines: process.engines }),
      kill: () => process.kill(),
      receive: (handlers) => process.receive(handlers),
      send: (frame) => {
        if (!isImageFile(frame)) look(frame)
        process.send(frame)
      },
    }
  },
})
