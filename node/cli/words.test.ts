import { expect, test } from 'vitest'
import { acceptWords, countOf, durationWords, sizeWords } from './words.ts'

test.each([
  [0, '0 bytes'],
  [1023, '1023 bytes'],
  [1024, '1 KiB'],
  [1536 * 1024 * 1024, '1.5 GiB'],
  [2 ** 60, '1048576 TiB'],
])('%i bytes are %s', (bytes, words) => expect(sizeWords(bytes)).toBe(words))

test.each([
  [4, '0 s'],
  [340, '0.34 s'],
  [4250, '4.3 s'],
  [59_400, '59 s'],
  [200_000, '3 min 20 s'],
  [599_999, '9 min 59 s'],
  [3_540_000, '59 min'],
  [11_520_000, '3 h 12 min'],
  [259_200_000, '3 days'],
])('%i ms are %s', (ms, words) => expect(durationWords(ms)).toBe(words))

test('counts have a plural', () => {
  expect([countOf(0, 'task'), countOf(1, 'task'), countOf(1024, 'task')]).toEqual(['0 tasks', '1 task', '1,024 tasks'])
})

test('who may use the machine is said in words; what "anyone" means too', () => {
  const mesh = { name: 'attic', admission: 'private' }
  expect(acceptWords({ accept: ['mesh'], deny: [] }, mesh)).toBe('members of the mesh "attic", whom a ticket invited')
  const peer = '12D3KooWMiRP4Nt62Abccr2GW62pRaMJM3887HcYkRSJ9wxKb9K7'
  expect(acceptWords({ accept: ['self', peer], deny: [] }, mesh)).toBe('your own machines and the peer 12D3…xKb9K7')
  expect(acceptWords({ accept: ['mesh'], deny: [peer] }, mesh)).toMatch(/ticket invited; never 12D3…xKb9K7$/)
  expect(acceptWords({ accept: ['mesh', 'anyone'], deny: [] }, mesh)).toMatch(
    /^anyone who can reach it: strangers may run their code here/,
  )
})
