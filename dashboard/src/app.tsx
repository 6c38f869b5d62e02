import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, person, signedIn } from "./api";
import { Frame } from "./frame/frame";
import { useLang } from "./i18n";
import { connect, live } from "./live/stream";
import { Alerts } from "./pages/alerts";
import { Duty } from "./pages/duty";
import { Overview } from "./pages/overview";
import { SignIn } from "./pages/sign-in";
import { route, type PageId } from "./route";
import { useStore } from "./store";
import type { Me } from "./types";
import { later } from "./ui/later";

const pages: Record<PageId, FunctionComponent<{ rest: string[] }>> = {
  overview: Overview,
  alerts: Alerts,
  duty: Duty,
  energy: later(() => import("./pages/energy").then((m) => m.Energy)),
  safety: later(() => import("./pages/safety").then((m) => m.Safety)),
  ratings: later(() => import("./pages/ratings").then((m) => m.Ratings)),
  ledger: later(() => import("./pages/ledger").then((m) => m.Ledger)),
  reports: later(() => import("./pages/reports").then((m) => m.Reports)),
  devices: later(() => import("./pages/devices").then((m) => m.Devices)),
  rules: later(() => import("./pages/rules").then((m) => m.Rules)),
  accounts: later(() => import("./pages/accounts").then((m) => m.Accounts)),
};

/** Who is signed in, then the frame with the page that the hash names. */
export function App() {
  const lang = useLang();
  const state = useStore(signedIn, (s) => s);
  const { page, rest } = useStore(route, (r) => r);
  // Pages begin anew once the hall's clock is known: their ranges start from it.
  const ready = useStore(live, (l) => l.site !== null);
  const [me, setMe] = useState<Me | null>(null);
  const enter = () =>
    get<Me>("/me").then(
      (who) => {
        setMe(who);
        person.set(who);
        signedIn.set(true);
        void connect();
      },
      () => signedIn.get() === null && signedIn.set(false),
    );
  useEffect(() => void enter(), []);
  if (state === null) return null;
  if (!state || !me) return <SignIn done={() => void enter()} />;
  const Page = pages[page];
  return (
    <Frame me={me} page={page} key={lang}>
      <Page rest={rest} key={`${page} ${ready}`} />
    </Frame>
  );
}
