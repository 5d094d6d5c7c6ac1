import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { readTerminalQr } from '../../node/testing/qr.ts'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))
const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('wayside-demo-browser-'))

test('it says where to look, with a code for a phone, paints, and leaves nothing at Ctrl-C', async () => {
  const before = folders()
  const child = spawn(process.execPath, [MAIN, '--port', '0', '--phone'], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  while (!printed.includes('Ctrl-C ends it')) await once(child.stdout, 'data')
  const url = /open (\S+) in a browser/.exec(printed)?.[1] ?? ''
  const page = await (await fetch(url)).text()
  expect(page).toMatch(/<wayside-agent mesh="wayside1\w+" accept="12D3KooW\w+"/)
  const code = readTerminalQr(printed.split('\n').map((line) => line.slice(2)))
  expect(code).toMatch(/^https:\/\/[\d.]+:\d+\/phone-/)
  expect(printed).toContain(code)
  const events = await fetch(`${url}events`)
  let heard = ''
  for await (const chunk of events.body!.pipeThrough(new TextDecoderStream())) {
    heard += chunk
    if (heard.includes('"t":"tile"')) break
  }
  expect(folders().length).toBe(before.length + 1)
  child.kill('SIGINT')
  const [status] = await once(child, 'exit')
  expect(status).toBe(0)
  expect(folders()).toEqual(before)
})
