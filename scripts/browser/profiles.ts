/** What each browser is started with: nobody's profile, no window, no word to anywhere but this machine. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type BrowserName = 'chromium' | 'firefox'

export interface Profile {
  command: string
  args: string[]
  /** In what it prints when it takes orders: where. */
  listening: RegExp
  /** What the address lacks. */
  path: string
}

/** Nothing listens here. What a browser sends to any host but this machine goes there. */
const NOWHERE = '127.0.0.1:9'

/** What pages learn and feel, beyond what tests want. */
export interface ProfileOptions {
  /** Pages learn how busy the machine is. */
  isPressed?: boolean
  /** Chromium alone: pages that nobody sees are slowed down. */
  isThrottled?: boolean
}

/** A tab that is not looked at, as none is in most tests, runs at full speed. */
const FULL_SPEED = [
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
]

const chromium = (folder: string, { isPressed, isThrottled }: ProfileOptions): Profile => ({
  command: 'chromium',
  args: [
    ...['--headless', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
    ...['--disable-component-update', '--disable-sync', '--disable-default-apps', '--disable-extensions'],
    ...(isThrottled ? [] : FULL_SPEED),
    // A machine is busy with the tests themselves: a page that learns of it backs off.
    ...(isPressed ? [] : ['--disable-blink-features=ComputePressure']),
    // /dev/shm is small in containers.
    '--disable-dev-shm-usage',
    `--proxy-server=http://${NOWHERE}`,
    '--proxy-bypass-list=127.0.0.1',
    `--user-data-dir=${folder}`,
    '--remote-debugging-port=0',
    // Its own sandbox does not start as root.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    'about:blank',
  ],
  listening: /^DevTools listening on (?<url>ws:\/\/127\.0\.0\.1:\d+\/\S+)/m,
  path: '',
})

const FIREFOX_PREFERENCES = {
  'network.proxy.type': 1,
  'network.proxy.http': NOWHERE.split(':')[0],
  'network.proxy.http_port': Number(NOWHERE.split(':')[1]),
  'network.proxy.ssl': NOWHERE.split(':')[0],
  'network.proxy.ssl_port': Number(NOWHERE.split(':')[1]),
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'network.trr.mode': 5,
  'app.update.disabledForTesting': true,
  'app.normandy.enabled': false,
  'browser.region.network.url': '',
  'browser.safebrowsing.downloads.remote.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.systemAddon.update.enabled': false,
  'extensions.update.enabled': false,
  'services.settings.server': '',
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.server': '',
  // Workers run at full speed, whatever is looked at, and a long run is not asked about.
  'dom.timeout.enable_budget_timer_throttling': false,
  'dom.max_script_run_time': 0,
  // WebRTC to this machine itself, which has no other address here.
  'media.peerconnection.ice.loopback': true,
}

const firefox = (folder: string): Profile => {
  const lines = Object.entries(FIREFOX_PREFERENCES).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  )
  writeFileSync(join(folder, 'user.js'), lines.join(''))
  return {
    command: 'firefox-esr',
    args: ['--headless', '--no-remote', '--profile', folder, '--remote-debugging-port', '0', 'about:blank'],
    listening: /^WebDriver BiDi listening on (?<url>ws:\/\/127\.0\.0\.1:\d+)/m,
    path: '/session',
  }
}

/** How to start a browser whose profile is in the empty folder `folder`. */
export const profileFor = (name: BrowserName, folder: string, options: ProfileOptions = {}): Profile =>
  name === 'chromium' ? chromium(folder, options) : firefox(folder)
