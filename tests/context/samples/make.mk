LIMIT := 3
export CUP = small

.PHONY: all pour
all: pour $(CUP)

pour: leaf.o
	@echo pour
	cc -o $@ $<

define recipe
x
endef

build/%.o: %.c
	cc
