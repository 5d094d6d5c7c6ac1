/** Single keys from a terminal; nothing where there is none. */
export const listenToKeys = (actions: Record<string, () => void>): (() => void) => {
  const { stdin } = process
  if (!stdin.isTTY) return () => {}
  const onData = (data: Buffer) => {
    for (const key of data.toString()) {
      const known = key === '\u0003' ? 'q' : key.toLowerCase()
      actions[known]?.()
    }
  }
  stdin.setRawMode(true)
  stdin.resume()
  stdin.on('data', onData)
  return () => {
    stdin.off('data', onData)
    stdin.setRawMode(false)
    stdin.pause()
  }
}
