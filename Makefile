# SPDX-License-Identifier: GPL-2.0-only
#
# What people type.  The modules themselves are described in Kbuild; the work of
# the other targets is in scripts/ and tests/.

KDIR   ?= /lib/modules/$(shell uname -r)/build
# Which kernel `make run` and `make shell` boot: 6.1, 6.12 or debug.
KERNEL ?= 6.12

.PHONY: all modules tools install clean run shell test fuzz model torture bench bench-quick check help
.DEFAULT_GOAL := all

all: modules tools ## build the modules for the running kernel, or for KDIR=, and the tools

modules: $(KDIR)/Makefile
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

# Only reached when it is not there.
$(KDIR)/Makefile:
	@echo "No kernel headers in $(KDIR)." >&2
	@echo "On Debian: apt-get install linux-headers-$(shell uname -r)" >&2
	@echo "or say where they are: make KDIR=/path.  'make run' needs none." >&2
	@false

tools: ## build what is not a module: the command udptrack, the plugin of iptables
	@$(MAKE) -s -f scripts/tools.mk

install: modules tools ## install the modules for that kernel, and the tools (as root)
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install
	@if [ -z "$(INSTALL_MOD_PATH)" ]; then depmod "$$(make -s -C $(KDIR) kernelrelease)"; fi
	@$(MAKE) -s -f scripts/tools.mk install

run: ## show what udptrack does, in a virtual machine (KERNEL=6.1|6.12|debug)
	@scripts/run.sh $(KERNEL)

shell: ## a prompt in that virtual machine, with the module loaded
	@scripts/run.sh $(KERNEL) --shell

test: ## all tests on three kernels (KERNELS="6.12" T=tests/e2e/x.t KUNIT=0 FUZZ=0 narrow it)
	@KERNELS="$(KERNELS)" T="$(T)" KUNIT="$(KUNIT)" FUZZ="$(FUZZ)" tests/run.sh

fuzz: ## run the parsers on random input, 10 million times each (RUNS= for another number)
	@scripts/setup.sh fuzz
	@$(MAKE) -s -C tests/fuzz run $(if $(RUNS),RUNS=$(RUNS))

bench: ## what a packet costs, beside nf_conntrack, and whether the goals are reached (11 minutes)
	@tests/bench/bench.sh

bench-quick: ## the most important of these figures, in a minute
	@tests/bench/bench.sh quick

torture: ## everything at once to a table, watched for data races (MINUTES=30 CPUS="2 4")
	@MINUTES="$(MINUTES)" CPUS="$(CPUS)" tests/torture.sh

model: ## try every order of events in models of what the table does without locks
	@tests/model/run.sh

check: ## checkpatch, sparse, W=1 with gcc and clang, shellcheck, coccinelle
	@scripts/check.sh

clean: ## remove what was built here (kernels stay in the cache)
	rm -rf build
	@if [ -f $(KDIR)/Makefile ]; then $(MAKE) -C $(KDIR) M=$(CURDIR) clean; fi

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 13
