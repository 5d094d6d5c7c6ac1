/** Commands that documents name. */

const TEST_COMMAND = /npm test -- ([^`|\n]+)/g

/** What a document has its reader test is there: each pattern is part of the path of a test. */
export const testCommandViolations = (path: string, text: string, tests: readonly string[]): string[] =>
  [...text.matchAll(TEST_COMMAND)]
    .flatMap(([, patterns = '']) => patterns.trim().split(/\s+/))
    .filter((pattern) => pattern !== 'PATTERN' && !pattern.startsWith('-'))
    .filter((pattern) => !tests.some((test) => test.includes(pattern)))
    .map((pattern) => `${path}: no test has a path with ${pattern}`)
