import { expect, test } from 'vitest'
import { readTerminalQr } from '../testing/qr.ts'
import { qrLines } from './qr.ts'

test.each([
  'https://192.168.1.20:4002/phone-dGhpc2lzMTZieXRlcyEhIQ',
  'https://lend.example/',
  `https://[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535/phone-${'x'.repeat(22)}`,
  `https://lend.example/${'long/'.repeat(60)}?a=ä`,
])('what is drawn is read as what it was made of: %s', (url) => {
  for (const colour of [true, false]) expect(readTerminalQr(qrLines(url, 200, colour)!)).toBe(url)
})

test('a terminal that is too narrow gets none; the usual address fits into 40 columns', () => {
  const url = `https://192.168.100.200:54321/phone-${'x'.repeat(22)}`
  expect(qrLines(url, 40, true)).toBeDefined()
  expect(qrLines(url, 36, true)).toBeUndefined()
  for (const line of qrLines(url, 40, false)!) expect(line).toHaveLength(37)
})
