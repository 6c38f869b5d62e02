import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { live } from "../live/stream";
import { href, PAGES, route, type PageId } from "../route";
import { useStore } from "../store";
import type { Me } from "../types";
import { Icon } from "../ui/icons";
import { AlarmStrip, LostBanner } from "./strip";
import { TopLine } from "./top-line";

const BAR: PageId[] = ["overview", "alerts", "duty", "safety"];
const MORE: PageId[] = ["energy", "ratings", "ledger", "reports", "devices", "rules", "accounts"];

/** Only an administrator keeps accounts. */
const offered = (me: Me, ids: readonly PageId[]) => ids.filter((id) => id !== "accounts" || me.role === "admin");

interface FrameProps {
  me: Me;
  page: PageId;
  children: ComponentChildren;
}

/** Rail or bottom bar, top line, the strip of the worst alert, and the page. */
export function Frame({ me, page, children }: FrameProps) {
  const name = useStore(live, (l) => l.site?.name ?? "");
  useEffect(() => {
    document.title = [t(`nav.${page}`), name || t("app.name")].join(" · ");
  }, [page, name]);
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={(e) => (e.preventDefault(), document.getElementById("main")?.focus())}>
        {t("app.skip")}
      </a>
      <nav class="rail" aria-label={t("nav.label")}>
        <div class="brand">
          <img src="./icon.svg" alt="" width="24" height="24" />
          <span>{t("app.name")}</span>
        </div>
        <ul>
          {offered(me, PAGES).map((id) => (
            <li key={id}>
              <NavLink id={id} page={page} />
            </li>
          ))}
        </ul>
      </nav>
      <div class="body">
        <TopLine me={me} />
        <LostBanner />
        <AlarmStrip />
        <main id="main" tabIndex={-1}>
          <h1 class="sr">{t(`nav.${page}`)}</h1>
          {children}
        </main>
      </div>
      <BottomBar me={me} page={page} />
    </div>
  );
}

function NavLink({ id, page }: { id: PageId; page: PageId }) {
  return (
    <a href={href(id)} class="nav" aria-current={id === page ? "page" : undefined}>
      <Icon name={id} />
      <span>{t(`nav.${id}`)}</span>
    </a>
  );
}

function BottomBar({ me, page }: { me: Me; page: PageId }) {
  const [open, setOpen] = useState(false);
  useEffect(() => route.subscribe(() => setOpen(false)), []);
  const within = MORE.includes(page);
  return (
    <nav class="bottom" aria-label={t("nav.label")} onKeyDown={(e) => e.key === "Escape" && setOpen(false)}>
      {open && (
        <ul class="sheet">
          {offered(me, MORE).map((id) => (
            <li key={id}>
              <NavLink id={id} page={page} />
            </li>
          ))}
        </ul>
      )}
      <ul class="tabs5">
        {BAR.map((id) => (
          <li key={id}>
            <NavLink id={id} page={page} />
          </li>
        ))}
        <li>
          <button
            type="button"
            class={within ? "nav within" : "nav"}
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            <Icon name={within ? page : "more"} />
            <span>{within ? t(`nav.${page}`) : t("nav.more")}</span>
          </button>
        </li>
      </ul>
    </nav>
  );
}
