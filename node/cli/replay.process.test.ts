import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { ReceiptFile } from '../../protocol/records.ts'
import { freshDirectory, wayside, withoutWaits } from '../testing/wayside.ts'

const ORDER = `
export const price = (item: string) => item.length * 10
export default async function order(input: { items: string[] }, env: unknown, ctx: any) {
  console.log('order of', input.items.length)
  await ctx.now()
  let total = 0
  for (const item of input.items) {
    total += await ctx.call('#price', item)
    console.log('so far', total)
  }
  return { total }
}
`

let cwd: string
let receipt: string

const replay = (...args: string[]) => wayside(['replay', ...args], { cwd })
const write = (name: string, text: string | Uint8Array): string => {
  writeFileSync(join(cwd, name), text)
  return name
}

beforeAll(async () => {
  cwd = freshDirectory()
  write('order.ts', ORDER)
  receipt = 'order.receipt'
  const input = '{"items":["tea","coffee"]}'
  const ran = await wayside(['run', 'order.ts', input, '--local', '--receipt', receipt, '--trace', '1'], { cwd })
  expect(ran).toMatchObject({ status: 0, stdout: '{"total":90}\n' })
  expect(ran.stderr).toContain('wayside replay order.receipt\n')
})

describe('0:', () => {
  test('the same, bit for bit, its memory too', async () => {
    const { status, stdout, stderr } = await replay(receipt)
    expect({ status, stderr: withoutWaits(stderr) }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^same: run again here, bit for bit\n/)
    expect(stdout).toMatch(/\n {2}result +\{"total":90\}\n/)
    expect(stdout).toMatch(/\n {2}requests +3\n/)
    expect(stdout).toMatch(/\n {2}memory +.*, the same by its hashes\n/)
    expect(stdout).toMatch(/\n {2}function +bafy\w+#default \(order\)\n/)
  })

  test('--log prints requests and answers in their order, with their sizes', async () => {
    const { status, stdout } = await replay(receipt, '--log')
    expect(status).toBe(0)
    const rows = stdout.split('\n').slice(0, 8)
    expect(rows[0]).toMatch(/^ +n +kind +bytes +what$/)
    expect(rows[1]).toMatch(/^→ +0 +now +1 +\{\}$/)
    expect(rows[2]).toMatch(/^← +0 +9 +\d{13}$/)
    expect(rows[5]).toMatch(/^→ +2 +call +25 +\{"ref":"#price","input":"coffee"\}$/)
    expect(rows[6]).toMatch(/^← +2 +2 +60$/)
    expect(rows[7]).toBe('3 requests, 3 answers')
  })

  test('--until stops before a request and shows it, with the console so far', async () => {
    const { status, stdout, stderr } = await replay(receipt, '--until', '2')
    expect(status).toBe(0)
    expect(withoutWaits(stderr)).toBe('order says │ order of 2\norder says │ so far 30\n')
    expect(stdout).toMatch(/^stopped before request 2, after 2 answers; 3 requests recorded, \d+ fuel\n/)
    expect(stdout).toContain('"input": "coffee"\n')
    expect(stdout).toContain('  the journal answers:\n    60\n')
  })

  test('--with the same code, and --json', async () => {
    write('tidied.ts', ORDER.replace("console.log('so far', total)", ''))
    const { status, stdout } = await replay(receipt, '--with', 'tidied.ts')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^same: tidied\.ts with the recorded journal, the same requests and the same result\n/)
    const json = JSON.parse((await replay(receipt, '--with', 'tidied.ts', '--until', '1', '--log', '--json')).stdout)
    expect(json).toMatchObject({
      ...{ same: true, with: 'tidied.ts', recorded: { value: { total: 90 } }, came: null, requests: 3 },
      stopped: { request: 1, kind: 'call', answer: { value: 30, bytes: 2 }, console: [{ text: 'order of 2' }] },
      log: [{ request: 0, kind: 'now', bytes: 1 }, { answer: 0 }, {}, {}, {}, { answer: 2, value: 60, bytes: 2 }],
    })
  })
})

describe('5:', () => {
  test('changed code that asks for something else: which request, what was expected, what came', async () => {
    write('louder.ts', ORDER.replace("'#price', item", "'#price', item.toUpperCase()"))
    const { status, stdout } = await replay(receipt, '--with', 'louder.ts')
    expect(status).toBe(5)
    expect(stdout).toMatch(/^differs: louder\.ts with the recorded journal, at request 1\n/)
    expect(stdout).toContain('  expected    request 1 after 1 answer: call {"ref":"#price","input":"tea"}\n')
    expect(stdout).toContain('  came        request 1 after 1 answer: call {"ref":"#price","input":"TEA"}\n')
    const json = JSON.parse((await replay(receipt, '--with', 'louder.ts', '--json')).stdout)
    expect(json).toMatchObject({ same: false, difference: { part: 'request', n: 1 } })
  })

  test('changed code of which something else comes', async () => {
    write('dearer.ts', ORDER.replace('{ total }', '{ total: total + 1 }'))
    const { status, stdout } = await replay(receipt, '--with', 'dearer.ts#default')
    expect(status).toBe(5)
    expect(stdout).toMatch(/^differs: dearer\.ts#default with the recorded journal, in its outcome\n/)
    expect(stdout).toContain('  recorded    {"total":90}\n  came        {"total":91}\n')
  })

  test('a journal with a gap', async () => {
    const file = ReceiptFile.decode(new Uint8Array(readFileSync(join(cwd, receipt))))
    write('gap.receipt', ReceiptFile.encode({ ...file, journal: file.journal.slice(2) }))
    const { status, stdout, stderr } = await replay('gap.receipt')
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' })
    expect(stderr).toMatch(/^error E_RECEIPT: the journal of the file is not whole: request 1 stands where request 0/)
  })
})

test.each<[string, RegExp, string[]]>([
  ['no receipt file', /^error E_USAGE: order\.ts is no receipt file: /, ['order.ts']],
  ['no number', /^error E_USAGE: --until first: give the number of a request/, ['order.receipt', '--until', 'first']],
  [
    'no such request',
    /^error E_USAGE: --until 3: what was recorded makes requests 0 to 2/,
    ['order.receipt', '--until', '3'],
  ],
  [
    'no such export',
    /^error E_USAGE: order\.ts exports .*, and not gone; name one/,
    ['order.receipt', '--with', 'order.ts#gone'],
  ],
])('2: %s', async (_, words, args) => {
  const { status, stdout, stderr } = await replay(...args)
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toMatch(words)
})
