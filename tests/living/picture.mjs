// Pictures of Airflow's page: node picture.mjs ADDRESS PASSWORDS_FILE FOLDER NAME (needs playwright-core, and chromium).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [address, passwords, folder, name] = process.argv.slice(2);
const require = createRequire(`${process.env.PLAYWRIGHT_FOLDER ?? process.cwd()}/`);
const { chromium } = require("playwright-core");
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run"],
});
const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
await page.goto(`${address}/auth/login`);
await page.fill('input[name="username"]', "admin");
await page.fill('input[name="password"]', JSON.parse(readFileSync(passwords, "utf-8")).admin);
await page.keyboard.press("Enter");
await page.waitForURL((url) => !url.pathname.includes("login"));
for (const [what, path] of [["home", "/"], ["dags", "/dags"], ["transit", "/dags/ingest_transit"],
  ["release", "/dags/region_release"], ["assets", "/assets"]]) {
  await page.goto(`${address}${path}`);
  await page.waitForTimeout(4000);
  await page.screenshot({ path: `${folder}/${name}-${what}.png` });
}
await browser.close();
