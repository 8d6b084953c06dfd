package tea

import "fmt"

import (
	"net/http"
	leaf "tea/house/leaf"
)

const Limit = 3

const (
	Small Size = iota
	Large
)

var (
	cache = map[string]*Pot{}
	ErrSpill, ErrCold error
)

type Size int

type Leaves = []leaf.Leaf

type Pot struct {
	Vessel
	size  int
	Leaf  *leaf.Leaf
}

type Heated interface {
	Warm
	Heat(degrees int) error
}

type (
	Cup struct{ Size int }
	Pouring func(*Cup) error
)

func New(size int) *Pot {
	return &Pot{size: size}
}

func (p *Pot) Pour(cup Cup) (Cup, error) {
	fmt.Println(boil(cup))
	return cup, http.Get("x")
}

func Map[T any, U Heated](in []T) []U {
	var inner = 1
	return steep[T](in)
}
