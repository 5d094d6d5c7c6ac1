/** What a check of receipts found, in plain words and as JSON. */
import type { Parting } from '../../peer/traces.ts'
import type { CheckedReceipt, PartedReceipts, TwoFacedHome, Verification } from '../../peer/verify-file.ts'
import { parseJson } from '../../protocol/json.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import { plainText } from '../plain-text.ts'
import { differenceWords, excerpt, resultText, valueText } from './outcome-words.ts'
import { paintOut, type Style } from './terminal.ts'
import { agreementWords, countOf } from './words.ts'

const NOT_THERE = 'an outcome that the file does not carry'

const sentenceOf = (checked: CheckedReceipt): string => {
  const { signer, receipt, says, gives } = checked
  if (checked.verdict === 'unusable') return `${checked.code}: ${plainText(checked.reason)}`
  if (checked.verdict === 'wrong' && checked.diverged)
    return `${signer} signed for a run that task ${receipt?.task} does not have: ${excerpt(checked.diverged, 0)}`
  if (!gives) return ''
  if (checked.verdict === 'right') return `it says ${excerpt(resultText(gives), 0)}, and so does running it again here`
  const [said, given] = says ? differenceWords(says, gives) : [NOT_THERE, excerpt(resultText(gives), 0)]
  return `${signer} signed a wrong outcome for task ${receipt?.task}: it says ${said}, re-execution gives ${given}`
}

/** Where memories part. `here`: the other's name, in words. */
const partingWords = ({ sameTick, differsTick }: Parting, other: string): string => {
  if (differsTick === 0) return `first differs from ${other} at tick 0, where the run begins`
  const same = sameTick === undefined ? 'at no tick before' : `still at tick ${sameTick}`
  if (differsTick !== undefined) return `first differs from ${other} at tick ${differsTick}, the same ${same}`
  return sameTick === undefined ? `has no tick in common with ${other}` : `the same as ${other} up to tick ${sameTick}`
}

/** Who, for whom, what: as far as the receipt could be read. */
const factsOf = (checked: CheckedReceipt): [name: string, text: string][] => {
  const { signer, receipt, invocation, task, functionName } = checked
  const isForged = checked.verdict === 'unusable' && checked.code === 'E_SIGNATURE' && !receipt
  const facts: [string, string][] = [[isForged ? 'in the name of' : 'signed by', signer]]
  if (invocation) facts.push(['asked for by', invocation.invoker])
  const named = functionName === undefined ? '' : ` (${plainText(functionName)})`
  if (task) facts.push(['function', `${task.function}#${plainText(task.export)}${named}`])
  if (receipt) facts.push(['task', receipt.task.toString()], ['invocation', receipt.invocation.toString()])
  if (checked.parting) facts.push(['memory', partingWords(checked.parting, 'that of the run here')])
  return facts
}

const VERDICTS: Record<CheckedReceipt['verdict'], { words: string; style: Style }> = {
  right: { words: 'right', style: 'green' },
  wrong: { words: 'wrong', style: 'red' },
  unusable: { words: 'proves nothing', style: 'yellow' },
}

const NAME_CHARS = 16

const receiptWords = (checked: CheckedReceipt, i: number, count: number): string => {
  const { words, style } = VERDICTS[checked.verdict]
  const facts = factsOf(checked).map(([name, text]) => `  ${name.padEnd(NAME_CHARS)}${text}`)
  const heading = `receipt ${i + 1} of ${count}: ${paintOut(style, words)}`
  return [heading, `  ${sentenceOf(checked)}`, ...facts].map((line) => `${line}\n`).join('')
}

const partedWords = ({ receipts: [first, other], ...parting }: PartedReceipts): string =>
  `memory of receipt ${other + 1}: ${partingWords(parting, `that of receipt ${first + 1}`)}\n`

const twoFacedWords = ({ home, invocation, epoch, length }: TwoFacedHome): string => {
  const heading = `two journals: ${paintOut('red', 'wrong')}`
  const sentence = `${home} signed two different journals where there is one, after ${length === 1 ? '1 entry' : `${length} entries`}`
  const facts = [
    ['signed by', home] as const,
    ['invocation', invocation.toString()] as const,
    ['epoch', epoch] as const,
  ]
  const lines = facts.map(([name, text]) => `  ${name.padEnd(NAME_CHARS)}${text}`)
  return [heading, `  ${sentence}`, ...lines].map((line) => `${line}\n`).join('')
}

const receiptsTotal = (receipts: readonly CheckedReceipt[]): string => {
  const counts = Object.entries(VERDICTS).map(([verdict, { words }]) => {
    return { words, count: receipts.filter((checked) => checked.verdict === verdict).length }
  })
  const met = counts.filter(({ count }) => count > 0)
  const total = countOf(receipts.length, 'receipt')
  if (met.length === 1) return `${total}: ${receipts.length > 1 ? 'all ' : ''}${met[0]?.words}`
  return `${total}: ${met.map(({ count, words }) => `${count} ${words}`).join(', ')}`
}

const totalWords = ({ receipts, twoFaced }: Verification): string => {
  const totals = receipts.length > 0 ? [receiptsTotal(receipts)] : []
  if (twoFaced.length > 0) totals.push(`${countOf(twoFaced.length, 'home')} convicted`)
  return `${totals.join('; ')}\n`
}

const CHECKED: Readonly<Record<NonNullable<Verification['claimed']>['by'], string>> = {
  none: 'nobody checked it',
  own: 'a machine of its owner gave it, and nobody checked it',
  audit: 'it was audited',
  quorum: 'a quorum agreed on it',
  self: 'it ran it again itself',
  memo: 'it had it from before',
}

const claimWords = ({ claimed }: Verification): string => {
  if (!claimed) return ''
  const agreed = claimed.independence === 'none' ? '' : `, ${agreementWords(claimed)}`
  return `of how the answer was checked its home says, unsigned: ${CHECKED[claimed.by]}${agreed}\n`
}

/** A paragraph for each receipt and each convicted home, and a last line for all of them. */
export const verificationWords = (verification: Verification): string => {
  const { receipts, parted, twoFaced } = verification
  const paragraphs = receipts.map((checked, i) => receiptWords(checked, i, receipts.length))
  const whole = [...paragraphs, ...parted.map(partedWords), ...twoFaced.map(twoFacedWords)]
  return [...whole, claimWords(verification), totalWords(verification)].join('')
}

const outcomeJson = ({ result, fuel, memory_bytes }: Outcome): object => {
  if (!result.ok) return { error: { code: result.code, message: result.message }, fuel, memory_bytes }
  const text = valueText(result.value)
  return { ...(text !== undefined && { value: parseJson(text) }), fuel, memory_bytes }
}

const partingJson = ({ sameTick, differsTick }: Parting) => ({
  same_tick: sameTick ?? null,
  differs_tick: differsTick ?? null,
})

const receiptJson = (checked: CheckedReceipt): object => {
  const { verdict, signer, receipt, invocation, task, functionName, says, gives } = checked
  return {
    verdict,
    ...(checked.verdict === 'unusable' && { code: checked.code, reason: checked.reason }),
    ...(checked.verdict === 'wrong' && checked.diverged && { diverged: checked.diverged }),
    signer,
    ...(invocation && { invoker: invocation.invoker }),
    ...(receipt && {
      home: receipt.home,
      mesh: receipt.mesh.toString(),
      invocation: receipt.invocation.toString(),
      task: receipt.task.toString(),
      attempt: receipt.attempt,
      epoch: receipt.epoch,
      engine: receipt.engine,
      outcome: receipt.outcome.toString(),
    }),
    ...(task && { function: task.function.toString(), export: task.export }),
    ...(functionName !== undefined && { name: functionName }),
    ...(says && { says: outcomeJson(says) }),
    ...(gives && { gives: outcomeJson(gives) }),
    ...(checked.parting && { memory: partingJson(checked.parting) }),
  }
}

export const isAllRight = ({ receipts, twoFaced }: Verification): boolean =>
  twoFaced.length === 0 && receipts.every(({ verdict }) => verdict === 'right')

/** One object, in parts: a thousand receipts that name one large outcome make more than a string can hold. */
export function* verificationJson(verification: Verification): Generator<string> {
  yield `{"ok":${isAllRight(verification)},"receipts":[`
  for (const [i, checked] of verification.receipts.entries())
    yield `${i > 0 ? ',' : ''}${JSON.stringify(receiptJson(checked))}`
  const twoFaced = verification.twoFaced.map((one) => ({ ...one, invocation: one.invocation.toString() }))
  const parted = verification.parted.map(({ receipts, ...parting }) => ({ receipts, ...partingJson(parting) }))
  const { claimed = null } = verification
  yield `],"parted":${JSON.stringify(parted)},"two_faced":${JSON.stringify(twoFaced)},"claimed":${JSON.stringify(claimed)}}\n`
}
