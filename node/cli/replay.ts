/** `wayside replay`: what was recorded, run again here with its journal. Nobody is asked anything again. */
import {
  type Changed,
  openInvocation,
  openRecording,
  type Recording,
  type ReplayPorts,
  replay as replayRecording,
} from '../../peer/replay.ts'
import type { VerifySandbox } from '../../peer/verify-file.ts'
import { isCidText } from '../../protocol/cid.ts'
import { ERRORS, MeshError } from '../../protocol/errors.ts'
import { fn } from '../../sdk/fn.ts'
import { functionBundleOf } from '../../sdk/function-bundle.ts'
import { bundleAloud } from './calling.ts'
import { withKept } from './durable.ts'
import { showConsole } from './guest-words.ts'
import type { OwnerFlags } from './owner.ts'
import { inSandbox, ofReceiptFile } from './receipt-input.ts'
import { type Replayed, replayJson, replayWords } from './replay-words.ts'
import { print, printJson } from './terminal.ts'

interface ReplayFlags extends OwnerFlags {
  log?: boolean
  until?: string
  with?: string
}

interface Changes extends Changed {
  readStack(text: string): string
}

/** Throws MeshError E_USAGE, and what bundling throws. */
const bundled = async (text: string, recordedExport: string): Promise<Changes> => {
  const { source, export: named } = fn(text)
  if (isCidText(source))
    throw new MeshError('E_USAGE', `--with ${source}: give a file; what a CID names may be on other machines alone`)
  const { bundle, readStack } = await bundleAloud(source)
  const exportName = source === text ? recordedExport : named
  if (!bundle.exports.includes(exportName)) {
    const message = `${source} exports ${bundle.exports.join(', ')}, and not ${exportName}; name one as ${source}#EXPORT`
    throw new MeshError('E_USAGE', { message, export: exportName })
  }
  return { bundle: functionBundleOf(bundle), exportName, readStack }
}

/** Throws MeshError E_USAGE. */
const untilOf = ({ until }: ReplayFlags): number | undefined => {
  if (until === undefined || /^\d{1,9}$/.test(until)) return until === undefined ? undefined : Number(until)
  throw new MeshError('E_USAGE', `--until ${until}: give the number of a request, counted from 0; --log shows them`)
}

/** Only changed code may make other requests than there are. */
const ensureMade = (until: number, { journal }: Recording): void => {
  const count = journal.filter(({ entry }) => entry === 'request').length
  if (until < count) return
  const range = count === 0 ? 'none' : count === 1 ? 'only request 0' : `requests 0 to ${count - 1}`
  throw new MeshError('E_USAGE', `--until ${until}: what was recorded makes ${range}; --log shows them`)
}

type ReplayHere = (ports: ReplayPorts, sandbox: VerifySandbox, recording: Recording) => Promise<Replayed>

/** A receipt file says all itself; what its home keeps of a durable invocation, only the home says. */
const ofRecording = async (what: string, flags: ReplayFlags, here: ReplayHere): Promise<Replayed> => {
  if (!isCidText(what))
    return ofReceiptFile(what, async (ports, sandbox, bytes) =>
      here(ports, sandbox, await openRecording(ports.crypto, sandbox.engines, bytes)),
    )
  const bytes = await withKept(flags, (durable) => durable.recorded(what))
  return inSandbox(async (ports, sandbox) =>
    here(ports, sandbox, openInvocation(ports.crypto, sandbox.engines, what, bytes)),
  )
}

/** Exit status: 0 if it is the same, as far as it went, else 5. */
export const replay = async (what: string, flags: ReplayFlags): Promise<number> => {
  const until = untilOf(flags)
  const replayed = await ofRecording(what, flags, async (ports, sandbox, recording) => {
    if (until !== undefined && flags.with === undefined) ensureMade(until, recording)
    const changed = flags.with === undefined ? undefined : await bundled(flags.with, recording.task.export)
    const result = await replayRecording(ports, sandbox, recording, { until, changed })
    return { recording, ...result, source: flags.with, readStack: changed?.readStack ?? ((text) => text) }
  })
  if (flags.json) await printJson(replayJson(replayed, flags.log ?? false))
  else {
    const { stopped, readStack, functionName } = replayed
    const printed = stopped?.console?.map((line) => ({ ...line, text: readStack(line.text) }))
    if (printed) showConsole(printed, flags.with ?? functionName)
    await print(replayWords(replayed, flags.log ?? false))
  }
  return replayed.difference ? ERRORS.E_REPLAY_DIVERGED.exit : 0
}
