import { render } from "preact";
import { App } from "./app";
import "./styles/tokens.css";
import "./styles/frame.css";
import "./styles/parts.css";
import "./styles/overview.css";
import "./styles/safety.css";
import "./styles/pages.css";
import "./styles/energy.css";
import "./styles/devices.css";
import "./styles/reports.css";
import "./styles/ledger.css";

const root = document.getElementById("app");
if (root) render(<App />, root);
