//! What the tests need besides a Rust toolchain, each named once, installed only if missing.
//!
//! Debian packages go into the system; PyPI and npm packages into `target/xtask`, and leave with it.

use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian: a program that shows whether the package is there, and the package.
const DEBIAN: [(&str, &str); 7] = [
    ("chromium", "chromium"),
    ("curl", "curl"),
    ("python3", "python3"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("influxd", "influxdb"),
    ("victoria-metrics", "victoria-metrics"),
];
/// PyPI: the vendor's own SDK, a socket client, a schema validator, what `docs/recipes.md` reads exports with, and the SQL engine of
/// InfluxDB 3.
const PYPI: [&str; 7] = [
    "PureCloudPlatformClientV2==269.0.0",
    "websocket-client>=1.8,<2",
    "jsonschema>=4.23,<5",
    "duckdb>=2.0,<3",
    "pandas>=3.1,<4",
    "pyarrow>=26,<27",
    "datafusion>=55,<56",
];
/// npm: drives the browser.
const NPM: [&str; 1] = ["playwright-core@1.64.0"];

/// Debian: sets the clock of a process, for storms.
const FAKE_CLOCK: &str = "libfaketime";

/// Where the tests find what was installed.
#[derive(Debug)]
pub struct Tools {
    /// Python with the PyPI packages.
    pub python: PathBuf,
    /// The folder that holds `node_modules`.
    pub node: PathBuf,
    /// The browser.
    pub chromium: PathBuf,
}

/// Installs what is missing.
///
/// # Errors
/// Names the package that could not be had.
pub fn install(target: &Path) -> anyhow::Result<Tools> {
    let missing: Vec<&str> =
        DEBIAN.iter().filter(|(program, _)| which(program).is_none()).map(|(_, p)| *p).collect();
    if !missing.is_empty() {
        debian(&missing)?;
    }
    let chromium = which("chromium").context("chromium was installed but is not on the PATH")?;
    let python = python(&target.join("venv"))?;
    let node = node(&target.join("node"))?;
    Ok(Tools { python, node, chromium })
}

/// The library that sets the clock of a process, installed if it is missing.
///
/// # Errors
/// When the package could not be had.
pub fn fake_clock() -> anyhow::Result<PathBuf> {
    let known = || {
        let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let libraries = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
        libraries.into_iter().find(|library| library.is_file())
    };
    if known().is_none() {
        debian(&[FAKE_CLOCK])?;
    }
    known().context("libfaketime was installed but is not where Debian puts it")
}

fn debian(packages: &[&str]) -> anyhow::Result<()> {
    let run = |args: &[&str]| {
        let mut apt =
            if which("sudo").is_some() && !is_root() { Command::new("sudo") } else { Command::new("env") };
        apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y"]).args(args);
        apt.status().is_ok_and(|status| status.success())
    };
    if !run(&["update"]) || !run(&[&["install", "--no-install-recommends"], packages].concat()) {
        bail!("these Debian packages could not be installed: {}; install them by hand", packages.join(", "));
    }
    Ok(())
}

fn python(venv: &Path) -> anyhow::Result<PathBuf> {
    let python = venv.join("bin/python");
    let stamp = venv.join("installed");
    let wanted = PYPI.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|is| is == wanted) {
        return Ok(python);
    }
    let _half_made = std::fs::remove_dir_all(venv);
    if run("python3", &["-m", "venv", &venv.display().to_string()]).is_err() {
        debian(&["python3-venv"])?;
        run("python3", &["-m", "venv", &venv.display().to_string()])?;
    }
    let pip = python.display().to_string();
    run(&pip, &[&["-m", "pip", "install", "--quiet", "--disable-pip-version-check"], &PYPI[..]].concat())?;
    std::fs::write(stamp, wanted)?;
    Ok(python)
}

fn node(folder: &Path) -> anyhow::Result<PathBuf> {
    let stamp = folder.join("installed");
    let wanted = NPM.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|is| is == wanted) {
        return Ok(folder.to_owned());
    }
    std::fs::create_dir_all(folder)?;
    let prefix = folder.display().to_string();
    run(
        "npm",
        &[&["install", "--silent", "--no-audit", "--no-fund", "--prefix", &prefix], &NPM[..]].concat(),
    )?;
    std::fs::write(stamp, wanted)?;
    Ok(folder.to_owned())
}

fn run(program: &str, args: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(program)
        .args(args)
        .status()
        .with_context(|| format!("{program} could not be started"))?;
    if !status.success() {
        bail!("{program} {} failed", args.join(" "));
    }
    Ok(())
}

fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}
